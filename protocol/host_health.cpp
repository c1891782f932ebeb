#include "protocol/host_health.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

struct transition {
  host_state from;
  host_event event;
  host_state to;
};

using enum host_state;

/// A late answer of a host that is withheld still counts.
constexpr auto transitions = std::to_array<transition>({
    {unproven, host_event::succeeded, healthy},
    {unproven, host_event::failed_often, suspended},
    {healthy, host_event::slowed, slow},
    {healthy, host_event::failed_often, suspended},
    {slow, host_event::sped_up, healthy},
    {slow, host_event::failed_often, suspended},
    {suspended, host_event::retry_due, probing},
    {suspended, host_event::succeeded, recovering},
    {probing, host_event::succeeded, recovering},
    {probing, host_event::failed, suspended},
    {probing, host_event::failed_for_week, dormant},
    {probing, host_event::failed_for_month, dead},
    {recovering, host_event::caught_up, healthy},
    {recovering, host_event::failed_often, suspended},
    {dormant, host_event::retry_due, probing},
    {dormant, host_event::succeeded, recovering},
    {dead, host_event::retry_due, probing},
    {dead, host_event::succeeded, recovering},
});

constexpr auto state_names = std::to_array<std::string_view>(
    {"unproven", "healthy", "slow", "suspended", "probing", "recovering", "dormant", "dead"});

constexpr auto week = std::chrono::days{7};
constexpr auto month = std::chrono::days{30};

std::chrono::microseconds cap_of(std::chrono::microseconds failing_for) {
  return failing_for < std::chrono::days{1} ? 1h : 6h;
}

/// Numbers the ten seconds of time.
std::int64_t part_at(time_point now) {
  return std::max<std::int64_t>(0, to_micros(now) / 10'000'000);
}

} // namespace

std::string_view to_string(host_state state) {
  return state_names[static_cast<std::size_t>(state) - 1];
}

std::optional<host_state> host_state_of(std::int64_t code) {
  if (code < 1 || code > static_cast<std::int64_t>(state_names.size()))
    return std::nullopt;
  const auto state = static_cast<host_state>(code);
  return state == probing ? suspended : state;
}

host_state next(host_state state, host_event event) {
  for (const auto& row : transitions)
    if (row.from == state && row.event == event)
      return row.to;
  return state;
}

host_event probe_failure(std::chrono::microseconds failing_for) {
  if (failing_for >= month)
    return host_event::failed_for_month;
  return failing_for >= week ? host_event::failed_for_week : host_event::failed;
}

std::chrono::microseconds backoff(std::int64_t fail_streak, std::chrono::microseconds failing_for,
                                  double chance) {
  const auto share = 0.5 + std::clamp(chance, 0.0, 1.0) / 2;
  const auto spread = [share](std::chrono::microseconds whole) {
    return std::chrono::microseconds{
        static_cast<std::int64_t>(static_cast<double>(whole.count()) * share)};
  };
  if (fail_streak < failures_max)
    return spread(fail_streak <= 1 ? 1s : 2s);
  if (failing_for >= week)
    return spread(std::chrono::days{1});
  const auto doublings = std::min<std::int64_t>(fail_streak - failures_max, 40);
  const auto wait = std::ldexp(2e6, static_cast<int>(doublings));
  const auto cap = static_cast<double>(cap_of(failing_for).count());
  return spread(std::chrono::microseconds{static_cast<std::int64_t>(std::min(wait, cap))});
}

void request_window::restore(std::int64_t size) {
  size_ = std::clamp(static_cast<double>(size), limits_.min, limits_.max);
}

bool request_window::may_grow() const {
  return mean_ <= limits_.latency_max && mean_ <= 4 * std::max(fastest_, 1'000us);
}

void request_window::succeed(std::int64_t in_flight, std::chrono::microseconds latency,
                             bool recovering) {
  mean_ = mean_ == 0us ? latency : (7 * mean_ + latency) / 8;
  fastest_ = fastest_ == 0us ? latency : std::min(fastest_, latency);
  if (recovering) {
    size_ = std::min(limits_.max, size_ + 1);
    return;
  }
  if (in_flight >= size() && may_grow())
    size_ = std::min(limits_.max, size_ + 1 / size_);
}

void request_window::fail(std::uint64_t sent, std::uint64_t newest) {
  if (sent <= halved_at_)
    return;
  halved_at_ = newest;
  size_ = std::max(limits_.min, size_ / 2);
}

void minute_mean::note(std::chrono::microseconds value, time_point now) {
  const auto number = part_at(now);
  auto& into = parts_[static_cast<std::size_t>(number) % parts_.size()];
  if (into.number != number)
    into = {.number = number};
  ++into.count;
  into.sum += value;
}

std::chrono::microseconds minute_mean::at(time_point now) const {
  const auto newest = part_at(now);
  auto sum = std::chrono::microseconds{0};
  auto count = std::int64_t{0};
  for (const auto& each : parts_)
    if (each.number <= newest && each.number + static_cast<std::int64_t>(parts_.size()) > newest) {
      sum += each.sum;
      count += each.count;
    }
  return count == 0 ? sum : sum / count;
}

} // namespace trunkline
