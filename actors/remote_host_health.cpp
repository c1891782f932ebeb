// How a host does.
#include "actors/remote_host_core.hpp"

#include "actors/messages.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

constexpr auto slow_mean = 2s;
constexpr auto fast_mean = 1s;

/// A failure in the words of the board: "connect timeout", "connection refused".
std::string words_of(const exchange_failure& failure) {
  if (!failure.timed_out)
    return failure.reason;
  auto phase = std::string{to_string(failure.phase)};
  std::ranges::replace(phase, '_', ' ');
  return phase + " timeout";
}

} // namespace

double remote_host_core::chance() {
  return std::uniform_real_distribution{0.0, 1.0}(random_);
}

/// The only place that changes `facts_.state`.
void remote_host_core::apply(host_event event, const std::string& reason) {
  const auto entered = next(facts_.state, event);
  if (entered == facts_.state)
    return;
  facts_.state = entered;
  if (is_withheld(entered))
    stop_clock(has_.clock());
  else
    run_clock();
  if (entered == host_state::probing) // never stored
    return;
  news_.facts = true;
  if (has_.log)
    has_.log("remote_host " + to_name(address_) + " " + std::string{to_string(entered)} + ": " +
             reason);
  // A probe that fails leaves the host as it was.
  if (std::exchange(news_.told_state, entered) != entered && has_.on_state)
    has_.on_state({.at = has_.clock(),
                   .host = to_name(address_),
                   .state = std::string{to_string(entered)},
                   .reason = reason});
}

void remote_host_core::try_again_at(std::optional<time_point> at, std::string reason) {
  report_.next_try_reason = std::move(reason);
  if (facts_.next_try_at == at)
    return;
  facts_.next_try_at = at;
  news_.facts = true;
}

/// Whoever orders it does not wait for anything.
void remote_host_core::try_at_once(const std::string& reason) {
  not_before_.reset();
  held_until_.reset();
  fetches_.not_before.reset();
  try_again_at(std::nullopt, reason);
}

/// Something of ours is not there for the moment.
void remote_host_core::wait_until(time_point at, const std::string& reason) {
  not_before_ = std::max(not_before_.value_or(at), at);
  report_.next_try_reason = reason;
}

/// The host asked for it; only operators know better. A long wait outlives the actor.
void remote_host_core::hold_until(time_point at, const std::string& reason) {
  held_until_ = std::max(held_until_.value_or(at), at);
  try_again_at(std::max(facts_.next_try_at.value_or(*held_until_), *held_until_), reason);
}

void remote_host_core::note_error(int status, const std::string& text,
                                  const exchange_failure* transport) {
  auto& errors = report_.last_errors;
  errors.insert(errors.begin(), host_error{.at = has_.clock(), .status = status, .text = text});
  if (errors.size() > options_.errors_kept)
    errors.pop_back();
  news_.last_failure = (transport ? words_of(*transport) : text).substr(0, host_error_bytes_max);
}

/// What is no answer may be our own network's fault, when hosts that did well are silent too.
void remote_host_core::tell_guard(const exchange_outcome& outcome) const {
  if (!has_.outage)
    return;
  if (outcome.response())
    return has_.outage->note_success();
  const auto was_good =
      facts_.last_ok_at && !is_withheld(facts_.state) && facts_.fail_streak < failures_max;
  has_.outage->note_failure(address_, domain_, was_good);
}

std::chrono::microseconds remote_host_core::failing_for() const {
  const auto now = has_.clock();
  return now - facts_.first_fail_at.value_or(now);
}

/// The host has answered. With `acknowledged` it took what it got: whatever failed before a
/// request that it took was the item's fault.
void remote_host_core::note_success(exchange_id sent, microseconds latency, bool acknowledged) {
  const auto now = has_.clock();
  const auto was_withheld = is_withheld(facts_.state);
  facts_.fail_streak = 0;
  facts_.first_fail_at.reset();
  is_failing_ = failing_to_connect_ = false;
  if (held_until_ && *held_until_ <= now)
    held_until_.reset();
  if (facts_.next_try_at != held_until_)
    try_again_at(held_until_, held_until_ ? report_.next_try_reason : "");
  if (was_withheld)
    window_.reset_to_min();
  if (was_withheld || acknowledged)
    apply(host_event::succeeded, was_withheld ? "a probe was answered" : "first success");
  if (!acknowledged)
    return;
  facts_.last_ok_at = now;
  newest_ok_ = std::max(newest_ok_, sent);
  latency_.note(latency, now);
  if (!was_withheld)
    window_.succeed(static_cast<std::int64_t>(exchanges_.size()) + 1, latency,
                    facts_.state == host_state::recovering);
  const auto mean = latency_.at(now);
  if (mean > slow_mean)
    apply(host_event::slowed, "mean above 2 s");
  else if (mean < fast_mean)
    apply(host_event::sped_up, "mean below 1 s");
  for (auto& item : queue_.take_failed_before(sent))
    except(std::move(item), "failed while its host was well", 1);
}

void remote_host_core::note_failure(exchange_id sent, const delivery_verdict& verdict,
                                    const exchange_failure* transport) {
  const auto now = has_.clock();
  ++report_.failed;
  is_failing_ = true;
  failing_to_connect_ =
      transport && !transport->fully_written() && transport->phase != exchange_phase::write;
  if (verdict.retry_after)
    hold_until(now + *verdict.retry_after, verdict.reason);
  if (transport && is_outage())
    return note_outage(verdict.reason);
  window_.fail(sent, newest_);
  const auto is_late = is_withheld(facts_.state) && facts_.state != host_state::probing;
  if (is_late) // sent before the suspension; its back-off runs already
    return;
  ++facts_.fail_streak;
  if (!facts_.first_fail_at)
    facts_.first_fail_at = now;
  const auto wait = backoff(facts_.fail_streak, failing_for(), chance());
  const auto until = std::max(now + wait, held_until_.value_or(now));
  try_again_at(until, "back-off after " + std::to_string(facts_.fail_streak) +
                          " failures: " + verdict.reason);
  if (facts_.state == host_state::probing)
    apply(probe_failure(failing_for()), verdict.reason);
  else if (facts_.fail_streak >= failures_max)
    apply(host_event::failed_often, verdict.reason);
  if (is_withheld(facts_.state))
    for (auto& item : queue_.take_often_failed(failures_max))
      except(std::move(item), "failed three times by itself: " + verdict.reason, 1);
}

/// While our own network is out nobody's streak grows, and no back-off.
void remote_host_core::note_outage(const std::string& reason) {
  const auto now = has_.clock();
  const auto wait = std::max<microseconds>(options_.outage_retry,
                                           backoff(facts_.fail_streak, failing_for(), chance()));
  const auto until = std::max(now + wait, held_until_.value_or(now));
  if (facts_.state == host_state::probing)
    apply(probe_failure(failing_for()), "our own network is out");
  else if (is_withheld(facts_.state))
    return;
  try_again_at(until, "our own network is out: " + reason);
}

/// It is well and wants less. A probe that is answered so leaves the host where it was.
void remote_host_core::note_busy(exchange_id sent, const delivery_verdict& verdict) {
  window_.fail(sent, newest_);
  const auto wait = verdict.retry_after.value_or(backoff(1, {}, chance()));
  hold_until(has_.clock() + wait, verdict.reason);
  if (facts_.state != host_state::probing)
    return;
  const auto own = has_.clock() + backoff(facts_.fail_streak, failing_for(), chance());
  try_again_at(std::max(own, *held_until_), verdict.reason);
  apply(probe_failure(failing_for()), verdict.reason);
}

} // namespace trunkline
