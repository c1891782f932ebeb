#include "actors/remote_host.hpp"

#include "actors/messages.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

double remote_host_state::chance() {
  return std::uniform_real_distribution{0.0, 1.0}(random_);
}

/// The only place that changes `facts_.state`.
void remote_host_state::apply(host_event event, const std::string& reason) {
  const auto entered = next(facts_.state, event);
  if (entered == facts_.state)
    return;
  facts_.state = entered;
  if (entered == host_state::probing) // never stored
    return;
  facts_changed_ = true;
  if (has_.log)
    has_.log("remote_host " + to_name(address_) + " " + std::string{to_string(entered)} + ": " +
             reason);
  // A probe that fails leaves the host as it was.
  if (std::exchange(told_state_, entered) != entered && has_.on_state)
    has_.on_state({.at = has_.clock(),
                   .host = to_name(address_),
                   .state = std::string{to_string(entered)},
                   .reason = reason});
}

void remote_host_state::try_again_at(std::optional<time_point> at, std::string reason) {
  not_before_.reset();
  report_.next_try_reason = std::move(reason);
  if (facts_.next_try_at == at)
    return;
  facts_.next_try_at = at;
  facts_changed_ = true;
}

void remote_host_state::note_error(int status, const std::string& text) {
  auto& errors = report_.last_errors;
  errors.insert(errors.begin(), host_error{.at = has_.clock(), .status = status, .text = text});
  if (errors.size() > options_.errors_kept)
    errors.pop_back();
}

/// The host has answered. With `acknowledged` it took what it got: whatever failed before a
/// request that it took was the item's fault.
void remote_host_state::note_success(exchange_id sent, std::chrono::microseconds latency,
                                     bool acknowledged) {
  const auto was_withheld = is_withheld(facts_.state);
  facts_.fail_streak = 0;
  facts_.first_fail_at.reset();
  failing_to_connect_ = false;
  if (facts_.next_try_at)
    try_again_at(std::nullopt, "");
  if (was_withheld)
    window_.reset_to_min();
  if (was_withheld || acknowledged)
    apply(host_event::succeeded, was_withheld ? "a probe was answered" : "first success");
  if (!acknowledged)
    return;
  facts_.last_ok_at = has_.clock();
  newest_ok_ = std::max(newest_ok_, sent);
  if (!was_withheld)
    window_.succeed(static_cast<std::int64_t>(exchanges_.size()) + 1, latency,
                    facts_.state == host_state::recovering);
  if (window_.mean_latency() > std::chrono::seconds{2})
    apply(host_event::slowed, "mean above 2 s");
  else if (window_.mean_latency() < std::chrono::seconds{1})
    apply(host_event::sped_up, "mean below 1 s");
  for (auto& item : queue_.take_failed_before(sent))
    except(std::move(item), "failed while its host was well", 1);
}

void remote_host_state::note_failure(exchange_id sent, const std::string& reason, bool is_connect,
                                     std::optional<std::chrono::microseconds> retry_after) {
  const auto now = has_.clock();
  ++report_.failed;
  window_.fail(sent, newest_);
  failing_to_connect_ = is_connect;
  const auto is_late = is_withheld(facts_.state) && facts_.state != host_state::probing;
  if (is_late) // sent before the suspension; its back-off runs already
    return;
  ++facts_.fail_streak;
  if (!facts_.first_fail_at)
    facts_.first_fail_at = now;
  const auto failing_for = now - *facts_.first_fail_at;
  const auto wait = std::max(backoff(facts_.fail_streak, failing_for, chance()),
                             retry_after.value_or(std::chrono::microseconds{0}));
  const auto why = "back-off after " + std::to_string(facts_.fail_streak) + " failures: " + reason;
  try_again_at(now + wait, why);
  if (facts_.state == host_state::probing)
    apply(probe_failure(failing_for), reason);
  else if (facts_.fail_streak >= failures_max)
    apply(host_event::failed_often, reason);
  if (is_withheld(facts_.state))
    for (auto& item : queue_.take_often_failed(failures_max))
      except(std::move(item), "failed three times by itself: " + reason, 1);
}

/// It is well and wants less. A probe that is answered so leaves the host where it was.
void remote_host_state::note_busy(exchange_id sent, const delivery_verdict& verdict) {
  window_.fail(sent, newest_);
  const auto now = has_.clock();
  const auto wait = verdict.retry_after.value_or(backoff(1, {}, chance()));
  if (facts_.state == host_state::probing) {
    try_again_at(now + std::max(wait, backoff(facts_.fail_streak, {}, chance())), verdict.reason);
    return apply(host_event::failed, verdict.reason);
  }
  not_before_ = now + wait;
  report_.next_try_reason = verdict.reason;
}

} // namespace trunkline
