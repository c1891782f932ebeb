/// How far this node is in the log: what it has committed, what its rings and caches have applied,
/// and when it last saw the log's end.
///
/// One object per node, shared by the writer, the log reader, the fan-out and whoever keeps
/// something derived from the log. Every member may be used by any thread.
///
/// An answer that is kept must be visible at once: whoever derives something from the log asks for
/// `committed` when a request arrives, and waits until `applied` has reached it, or reads storage.
#pragma once

#include "protocol/ids.hpp"

#include <atomic>
#include <chrono>

namespace trunkline {

class log_position {
public:
  using steady_time = std::chrono::steady_clock::time_point;

  /// For how long caches may be trusted after the last tick.
  static constexpr auto tick_lifetime = std::chrono::seconds{1};

  /// Notes that rows up to `seq` are committed. The writer calls it before it answers.
  void commit(log_seq seq) { raise(committed_, seq); }

  /// Notes that rows up to `seq` have reached every ring and cache. Only the fan-out calls it.
  void apply(log_seq seq) { raise(applied_, seq); }

  /// Notes that at `at` the log held nothing that is not applied by now. Only the fan-out calls it.
  void tick(steady_time at) { raise(last_tick_, at.time_since_epoch().count()); }

  log_seq committed() const { return committed_; }
  log_seq applied() const { return applied_; }

  /// Tells whether everything this node has committed is applied.
  bool is_caught_up() const { return applied_ >= committed_; }

  /// Tells whether the log is followed: whatever commits from now on will reach every cache. Rows
  /// from before the first tick may never do.
  bool is_followed() const { return last_tick_ != never; }

  /// Tells whether what was derived from the log may be used at `now`: the node has applied what
  /// it committed, and saw the log's end less than `tick_lifetime` ago.
  bool is_current(steady_time now) const {
    const auto seen = steady_time{steady_time::duration{last_tick_}};
    return is_caught_up() && is_followed() && now - seen <= tick_lifetime;
  }

private:
  static constexpr auto never = std::int64_t{-1};

  static void raise(std::atomic<std::int64_t>& value, std::int64_t to) {
    auto seen = value.load();
    while (seen < to && !value.compare_exchange_weak(seen, to)) {
    }
  }

  std::atomic<log_seq> committed_ = 0;
  std::atomic<log_seq> applied_ = 0;
  std::atomic<std::int64_t> last_tick_ = never;
};

} // namespace trunkline
