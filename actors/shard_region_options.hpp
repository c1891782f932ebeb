/// What a shard region is told, what it counts, and what it remembers of crashes.
#pragma once

#include "protocol/ids.hpp"

#include <caf/actor_clock.hpp>
#include <caf/error.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

namespace trunkline {

/// What a region has done; written by it, read by any thread.
struct region_counters {
  std::atomic<std::int64_t> active = 0; ///< Actors that run now.
  std::atomic<std::int64_t> activated = 0;
  std::atomic<std::int64_t> passivated = 0;
  std::atomic<std::int64_t> crashes = 0;
  std::atomic<std::int64_t> quarantined = 0; ///< Ids put aside, in sum.
  /// Messages: quarantine, full buffer, too many actors, or they are not started here.
  std::atomic<std::int64_t> refused = 0;
};

/// Of a region whose actors are known by a `Key`.
template <class Key>
struct region_options_of {
  std::string kind = "actors";      ///< What its actors are called.
  std::size_t actors_max = 100'000; ///< Active at once; more are refused with `unavailable`.
  std::size_t buffer_max = 256;     ///< Messages that wait for one stopping actor.
  std::size_t crashes_max = 3;      ///< Within `crash_window`: the id is put aside.
  std::chrono::nanoseconds crash_window = std::chrono::seconds{60};
  /// Tells which actors may be started here; others are refused with `unavailable`. Asked in the
  /// region; must not block. Empty: all.
  std::function<bool(const Key& id)> may_start;
  /// Told of each crash, in the region; must not block. Empty: nobody.
  std::function<void(const Key& id, const caf::error& reason, bool is_quarantined)> on_crash;
};

using region_options = region_options_of<account_id>;

/// The crashes of the last window, by the actors' keys.
template <class Key>
class crash_records {
public:
  using clock_point = caf::actor_clock::time_point;

  /// Notes a crash; tells whether the key is put aside from now on.
  bool note(const Key& id, clock_point now, const region_options_of<Key>& limits) {
    // Keeps the records as few as the keys that crashed within one window.
    std::erase_if(records_, [&](const auto& known) {
      return now - known.second.crashes.back() > limits.crash_window;
    });
    auto& record = records_[id];
    record.crashes.push_back(now);
    while (now - record.crashes.front() > limits.crash_window)
      record.crashes.pop_front();
    record.quarantined = record.crashes.size() >= limits.crashes_max;
    return record.quarantined;
  }

  bool is_quarantined(const Key& id, clock_point now, const region_options_of<Key>& limits) {
    const auto found = records_.find(id);
    if (found == records_.end() || !found->second.quarantined)
      return false;
    if (now - found->second.crashes.back() < limits.crash_window)
      return true;
    records_.erase(found);
    return false;
  }

private:
  struct history {
    std::deque<clock_point> crashes;
    bool quarantined = false;
  };

  std::unordered_map<Key, history> records_;
};

} // namespace trunkline
