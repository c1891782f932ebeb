/// What other servers have sent, as it came: durable before it is answered, kept until it is
/// applied and for a week more, so that nothing is applied twice.
///
/// Also what was undone before it came.
#pragma once

#include "storage/database.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

struct arrival {
  std::int64_t id = 0; ///< In the order of arrival.
  std::string actor;   ///< Who signed it: an actor's id.
  std::string ap_id;   ///< The activity's id; where it has none, `hash_id` of the body.
  std::string host;    ///< The signer's origin, as `to_key` writes it.
  std::string body;
  time_point at;
};

/// Returns what stands for the id of an activity that has none.
std::string hash_id(std::string_view body);

/// How an arrival ended; the column `done`.
enum class arrival_end : std::uint8_t {
  done = 1,    ///< Applied, or there was nothing to do.
  given_up = 2 ///< It failed again and again, and would have held back its host for ever.
};

/// How long an arrival is kept after it has come.
inline constexpr auto arrivals_kept = std::chrono::hours{24 * 7};

/// Adds an arrival unless its signer has sent the same id before. Returns whether it was added.
caf::expected<bool> add_arrival(database& db, const arrival& row);

/// Returns the oldest open arrival of `host` that is not among `besides`, or nothing.
caf::expected<std::optional<arrival>> next_arrival(database& db, const std::string& host,
                                                   std::span<const std::int64_t> besides = {});

/// Counts the open arrivals of `host`, up to `most`.
caf::expected<std::int64_t> count_open_arrivals(database& db, const std::string& host,
                                                std::int64_t most);

/// Returns at most `limit` hosts after `after` that have open arrivals, sorted; "" comes first.
caf::expected<std::vector<std::string>> hosts_with_arrivals(database& db, const std::string& after,
                                                            std::size_t limit);

/// Ends an open arrival. Returns false when it had ended: then nothing of it may be applied again.
caf::expected<bool> end_arrival(database& db, std::int64_t id, arrival_end how);

/// Returns what `actor` sent under this id, ended or not.
caf::expected<std::optional<arrival>> find_arrival(database& db, const std::string& actor,
                                                   const std::string& ap_id);

/// Removes at most `limit` ended arrivals from before `before`, oldest first; returns how many.
caf::expected<std::int64_t> purge_arrivals(database& db, time_point before, std::size_t limit);

/// How long an Undo that came before its object is remembered.
inline constexpr auto early_undo_kept = std::chrono::hours{6};

/// Remembers that `what` was undone before it came. `what`: any text that names it.
caf::error remember_undo(database& db, std::string_view what, time_point now);

/// Tells whether `what` was undone within `early_undo_kept`, and forgets it.
caf::expected<bool> take_undo(database& db, std::string_view what, time_point now);

/// Removes at most `limit` that are older than `early_undo_kept`; returns how many.
caf::expected<std::int64_t> purge_undos(database& db, time_point now, std::size_t limit);

} // namespace trunkline
