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

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace trunkline {

using engine_event =
    std::variant<activity_event, post_event, delivery_event, host_state_event, account_event>;

/// Which events a kind of row gives: at most one of each.
struct told_of_row {
  std::string_view activity; ///< The activity's type; "": none.
  std::optional<post_change> post;
  std::optional<account_change> account;

  bool is_nothing() const { return activity.empty() && !post && !account; }
};
told_of_row told_of(log_kind kind);

/// Rows that are rendered by one question at most; more are refused with `invalid`.
inline constexpr std::size_t event_rows_max = 256;

/// Renders `rows`, in their order; of one row first the activity, then the post or the account.
/// `seq` and `at` are the row's. At most nine statements, whatever the rows.
query<std::vector<engine_event>> ask_events(std::vector<log_entry> rows, url_space urls);

/// The events of the rows after `after`, of which at most `limit` (up to `event_rows_max`) are
/// read. `upto` is the last row that was read; `after` at the end of the log.
struct event_page {
  std::vector<engine_event> events;
  log_seq upto = 0;
};
query<event_page> ask_events_after(log_seq after, std::size_t limit, url_space urls);

} // namespace trunkline
