// Units that their lanes pass by: they failed where their host did not.
#include "actors/remote_host_core.hpp"

#include "actors/messages.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// Waits before the next try of an exception; after the last one it is a dead letter.
constexpr auto exception_waits =
    std::to_array<std::chrono::seconds>({30s, 2min, 10min, 1h, 6h, 24h});

std::optional<std::chrono::seconds> wait_after(std::int64_t attempts) {
  const auto at = static_cast<std::size_t>(std::max<std::int64_t>(attempts, 1)) - 1;
  return at < exception_waits.size() ? std::optional{exception_waits[at]} : std::nullopt;
}

} // namespace

/// The clock of the exceptions stands while the host is suspended or paused. It runs while there is
/// no room for another one, or they would keep the host suspended for ever.
time_point remote_host_core::exceptions_clock() const {
  const auto now = has_.clock();
  const auto is_full = exceptions_.size() >= options_.exceptions_max;
  return is_full ? now : std::min(now, clock_stands_at_.value_or(now));
}

void remote_host_core::stop_clock(time_point at) {
  if (!clock_stands_at_)
    clock_stands_at_ = at;
}

void remote_host_core::run_clock() {
  if (facts_.paused || is_withheld(facts_.state) || !clock_stands_at_)
    return;
  const auto since = *std::exchange(clock_stands_at_, std::nullopt);
  const auto stood = has_.clock() - since;
  if (stood <= 0us)
    return;
  for (const auto& moved : exceptions_.postpone(since, stood))
    news_.exceptions.push_back({facts_.id, moved.unit.key(), moved.row, {}, false});
}

void remote_host_core::conclude_exception(host_exchange& done, const delivery_verdict& verdict) {
  const auto& unit = done.item.unit;
  exceptions_.set_out(unit, false);
  const auto* waiting = exceptions_.find(unit);
  if (!waiting)
    return;
  auto changed = *waiting;
  if (verdict.outcome == delivery_outcome::delivered) {
    ++report_.delivered;
    tell_of_try(done, verdict);
    return end_exception(unit, unit_outcome::delivered);
  }
  // A probe comes when the host is due, which may be long before the item is; and that the host
  // does not answer it says nothing of the item.
  const auto clock = exceptions_clock();
  const auto was_due = changed.row.next_try_at.value_or(clock) <= clock;
  const auto is_its_own = verdict.outcome == delivery_outcome::item_failed || verdict.may_be_items;
  const auto counts = is_its_own && was_due && (done.status != 0 || !done.is_probe) && !is_outage();
  changed.row.attempts += counts;
  const auto wait = wait_after(changed.row.attempts);
  if (verdict.outcome == delivery_outcome::dead_letter || (counts && !wait))
    return bury(unit, verdict.reason, changed.row.attempts, done.status);
  tell_of_try(done, verdict);
  if (is_unwanted(unit))
    return end_exception(unit, unit_outcome::cancelled);
  for (const auto& each : exceptions_.about(unit))
    replace_exceptions(each.unit);
  if (!exceptions_.find(unit)) // what came meanwhile has taken its place
    return;
  changed.row.error =
      changed.is_ordered ? std::string{ordered_again} + ": " + verdict.reason : verdict.reason;
  if (counts)
    changed.row.next_try_at =
        clock + std::max<microseconds>(*wait, verdict.retry_after.value_or(0us));
  if (done.is_probe)
    changed.probed = done.id;
  put_exception(std::move(changed));
}

/// A dead letter: kept with its reason, and settled.
void remote_host_core::bury(const delivery_unit& unit, const std::string& reason,
                            std::int64_t attempts, int status) {
  ++report_.dead;
  if (!old_may_go())
    doubt(unit);
  tell_change(unit, delivery_change::dead, status, reason);
  const auto waited = exceptions_.erase(unit);
  news_.exceptions.push_back({.host = facts_.id,
                              .unit = unit.key(),
                              .row = delivery_exception{.unit = unit.key(),
                                                        .object = unit.object,
                                                        .status = exception_status::dead,
                                                        .error = reason,
                                                        .attempts = attempts,
                                                        .next_try_at = std::nullopt},
                              .outcome = waited ? std::optional{unit_outcome::dead} : std::nullopt,
                              .is_again = false});
  if (!waited)
    settle(unit, unit_outcome::dead);
  else if (on_ended_)
    on_ended_(unit);
}

/// Lets its lane pass a unit: it is covered by a row of its own from now on. One whose successor
/// waits there already is not sent any more.
void remote_host_core::except(queued_unit item, const std::string& reason, std::int64_t attempts) {
  const auto& unit = item.unit;
  const auto waiting = exceptions_.about(unit);
  if (std::ranges::any_of(
          waiting, [&](const waiting_exception& later) { return is_superseded(unit, later.unit); }))
    return settle(unit, unit_outcome::coalesced);
  if (exceptions_.size() >= options_.exceptions_max)
    return refuse_exception(std::move(item));
  const auto clock = exceptions_clock();
  put_exception({.unit = unit,
                 .row = {.unit = unit.key(),
                         .object = unit.object,
                         .status = exception_status::waiting,
                         .error = reason,
                         .attempts = attempts,
                         .next_try_at = attempts > 0 ? clock + exception_waits[0] : clock}});
  settle(unit, unit_outcome::excepted);
}

/// It has no turn, and nothing about its object, while the peer may be at work at something older.
void remote_host_core::hold_exception(const delivery_unit& unit) {
  early_.out.push_back(unit);
  exceptions_.set_out(unit, true);
}

void remote_host_core::refuse_exception(queued_unit item) {
  queue_.put_back(std::move(item));
  discard_due_ = true;
  note_full();
}

/// So many exceptions suspend the host, however well it answers.
void remote_host_core::note_full() {
  if (is_withheld(facts_.state) && facts_.state != host_state::probing)
    return; // its back-off runs already
  const auto now = has_.clock();
  facts_.fail_streak = std::max(facts_.fail_streak + 1, failures_max);
  if (!facts_.first_fail_at)
    facts_.first_fail_at = now;
  const auto wait = backoff(facts_.fail_streak, failing_for(), chance());
  try_again_at(std::max(now + wait, held_until_.value_or(now)), "too many exceptions");
  apply(facts_.state == host_state::probing ? probe_failure(failing_for())
                                            : host_event::failed_often,
        "too many exceptions");
}

/// What an order made unwanted while it was out is looked at.
void remote_host_core::put_exception(waiting_exception changed, bool is_again) {
  const auto unit = changed.unit;
  news_.exceptions.push_back({facts_.id, unit.key(), changed.row, {}, is_again});
  exceptions_.put(std::move(changed));
  discard_exceptions_due_ |= is_unwanted(unit);
}

void remote_host_core::end_exception(const delivery_unit& unit, unit_outcome outcome) {
  news_.exceptions.push_back({facts_.id, unit.key(), std::nullopt, outcome, false});
  if (on_ended_)
    on_ended_(unit);
  exceptions_.erase(unit);
}

} // namespace trunkline
