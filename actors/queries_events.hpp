/// Events as hooks and webhooks get them, made of rows of the log. Questions for `ask_storage`.
///
/// They are for the operator's own programs: posts of every visibility are among them, direct ones
/// too. What a row does not hold is read as it is by now: a post that was edited twice gives two
/// events with the newest text, and one that is gone by now gives events without text.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/log_entry.hpp"
#include "protocol/names.hpp"
#include "trunkline/events.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace trunkline {

using engine_event =
    std::variant<activity_event, post_event, delivery_event, host_state_event, account_event>;

/// Which events a row may give.
struct told_of_row {
  /// The activity's type. Two of a follow that nobody had to be asked for: "Follow" and "Accept".
  /// Rows of changed options of a follow give none, which is seen in storage alone.
  std::array<std::string_view, 2> activities;
  std::optional<post_change> post;
  std::optional<account_change> account;

  bool is_nothing() const { return activities[0].empty() && !post && !account; }
};
told_of_row told_of(const log_entry& row);

/// Rows that are rendered by one question at most; more are refused with `invalid`.
inline constexpr std::size_t event_rows_max = 256;

/// Renders `rows`, in their order; of one row first the activities, then the post or the account.
/// `seq` and `at` are the row's. Of a row its `facts` and `extra` are not looked at. At most four
/// statements, whatever the rows.
query<std::vector<engine_event>> ask_events(std::vector<log_entry> rows, url_space urls);

/// The events of the rows after `after`, of which at most `limit` (up to `event_rows_max`) are
/// read. `upto` is the last row that was read; `after` at the end of the log.
struct event_page {
  std::vector<engine_event> events;
  log_seq upto = 0;
};
query<event_page> ask_events_after(log_seq after, std::size_t limit, url_space urls);

} // namespace trunkline
