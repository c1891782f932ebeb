/// Where a post is: what storage, the books and the board say of it, put together.
///
/// The books know whether a unit is settled, not how: what a later activity made superfluous counts
/// as delivered.
#pragma once

#include "actors/dispatcher_messages.hpp"
#include "actors/host_board.hpp"
#include "actors/queries_deliveries.hpp"
#include "protocol/json.hpp"

#include <caf/expected.hpp>

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// How a post stands with a host, or one of its activities with an inbox; the worst first.
enum class post_state : std::uint8_t {
  dead,      ///< Given up.
  exception, ///< Failed where others did not; is tried again by itself.
  pending,   ///< Waits for its turn, or for the host.
  cancelled, ///< The host is drained: it takes nothing new.
  unclear,   ///< Was delivered, or cancelled by a flush since then; or its node does not answer.
  delivered, ///< The host has it, or needs it no more.
};
inline constexpr std::size_t post_states = 6;

std::string_view to_string(post_state state);
std::optional<post_state> post_state_of(std::string_view word);

/// Hosts of one post that are looked at.
inline constexpr std::size_t post_hosts_max = 100'000;

struct post_unit_standing {
  post_unit unit;
  log_kind kind = log_kind::create;
  post_state state = post_state::delivered;
};

/// A host with what it is owed of the post; it is in the worst state of those.
struct post_host_standing {
  host_address address;
  post_state state = post_state::delivered;
  std::vector<post_unit_standing> units;
  std::optional<host_line> line; ///< As the board has it.
  bool is_unheard = false;       ///< The node that delivers to it has not answered.
};

struct post_standing {
  json_object totals; ///< Hosts by state; they sum up to `hosts`.
  json_array rows;
  std::vector<post_host_standing> hosts; ///< Failed ones first, then by name.
  bool is_all = true;                    ///< False: there are more hosts than were looked at.
};

/// What the books of all nodes said to `questions_about`.
struct books_word {
  const std::vector<bool>& open;
  log_seq dispatched = 0; ///< Later rows were not given to everybody yet.
  /// Tells whether the node of a host has not answered; null: all have.
  std::function<bool(const host_address&)> is_unheard = nullptr;
};

/// Finds the line of a host, on whatever board it is.
using line_finder = std::function<std::optional<host_line>(const host_address&)>;

/// Returns the units that only the books know of.
ask_open_units questions_about(const post_deliveries& found);

post_standing standing_of(const post_deliveries& found, const books_word& books,
                          const line_finder& line_of);

json_object render(const post_host_standing& host, time_point now);

/// Where the list goes on.
struct post_recipient {
  post_state state = post_state::dead;
  std::string name;

  friend auto operator<=>(const post_recipient&, const post_recipient&) = default;
};
post_recipient place_of(const post_host_standing& host);
std::string to_mark(const post_recipient& place);
caf::expected<post_recipient> read_place(const std::string& mark);

} // namespace trunkline
