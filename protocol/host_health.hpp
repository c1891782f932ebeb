/// How a remote host does: its states and the table of their transitions, how long to wait after
/// failures, and how many requests it may hold at once.
///
/// Plain values without a clock; any thread.
#pragma once

#include "protocol/time.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trunkline {

/// The column `host.state`. The same words stand in the admin API.
enum class host_state : std::uint8_t {
  unproven = 1,   ///< Until its first success.
  healthy = 2,    ///<
  slow = 3,       ///< Its mean over a minute exceeded 2 s, and has not been below 1 s since.
  suspended = 4,  ///< Failed too often; waits for its next try.
  probing = 5,    ///< One request is under way to see whether it is back. Never stored.
  recovering = 6, ///< From a good probe until its window is 8 or nothing waits.
  dormant = 7,    ///< 7 days without success: one probe a day.
  dead = 8,       ///< 30 days without success: one probe a day.
};

std::string_view to_string(host_state state);

/// Reads the column; nothing when it is no code. `probing` is read as `suspended`.
std::optional<host_state> host_state_of(std::int64_t code);

enum class host_event : std::uint8_t {
  succeeded,
  slowed,           ///< Mean above 2 s.
  sped_up,          ///< Mean below 1 s.
  failed_often,     ///< `failures_max` in a row.
  retry_due,        ///< The probe leaves.
  failed,           ///< The probe.
  failed_for_week,  ///< The probe, and nothing has worked for 7 days.
  failed_for_month, ///< The probe, and nothing has worked for 30 days.
  caught_up,        ///< The window is 8, or nothing waits.
};

/// Returns the state that follows; a pair that the table does not list changes nothing.
host_state next(host_state state, host_event event);

/// Tells whether only probes are sent in this state.
constexpr bool is_withheld(host_state state) {
  return state == host_state::suspended || state == host_state::probing ||
         state == host_state::dormant || state == host_state::dead;
}

/// Consecutive failures of a host that suspend it.
inline constexpr std::int64_t failures_max = 3;

/// Returns which failure of a probe it is, by the time for which nothing has worked.
host_event probe_failure(std::chrono::microseconds failing_for);

/// Returns how long to wait after the `fail_streak`-th failure in a row: 1 s and 2 s after the
/// first two; from the third on 2 s, doubled each time, at most 1 h on the first day, 6 h in the
/// first week, then a day. `chance`, from 0 to 1, spreads it from half to whole.
std::chrono::microseconds backoff(std::int64_t fail_streak, std::chrono::microseconds failing_for,
                                  double chance);

struct window_limits {
  double initial = 2;
  double min = 1;
  double max = 16;
  std::chrono::microseconds latency_max = std::chrono::seconds{3}; ///< Above it it does not grow.
};

/// How many requests a host may hold: grows by 1/window per success when full, halves at the first
/// failure among the requests sent since the last halving; while recovering it grows by 1 per
/// success, so that it doubles with each round of answers.
class request_window {
public:
  explicit request_window(window_limits limits = {}) : limits_{limits}, size_{limits.initial} {}

  std::int64_t size() const { return static_cast<std::int64_t>(size_); }
  void restore(std::int64_t size);

  /// Notes a success that took `latency`, when `in_flight` requests, itself included, were out.
  void succeed(std::int64_t in_flight, std::chrono::microseconds latency, bool recovering);
  /// Notes a failure of the request with the number `sent`; `newest` is the last one sent.
  void fail(std::uint64_t sent, std::uint64_t newest);
  /// A good probe: starts from the smallest.
  void reset_to_min() { size_ = limits_.min; }

  std::chrono::microseconds mean_latency() const { return mean_; }

private:
  bool may_grow() const;

  window_limits limits_;
  double size_;
  std::uint64_t halved_at_ = 0; ///< Requests up to here were sent before the last halving.
  std::chrono::microseconds mean_{0};
  std::chrono::microseconds fastest_{0};
};

/// The mean of what was noted within a minute, to ten seconds.
class minute_mean {
public:
  void note(std::chrono::microseconds value, time_point now);
  /// Returns 0 when nothing was noted.
  std::chrono::microseconds at(time_point now) const;

private:
  struct part {
    std::int64_t number = -1; ///< Of its ten seconds.
    std::int64_t count = 0;
    std::chrono::microseconds sum{0};
  };
  std::array<part, 6> parts_;
};

} // namespace trunkline
