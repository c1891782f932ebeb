/// The watchdog of an actor system: names the actors whose turns do not come to an end.
///
/// Actors share few threads. One that loops, or waits for something, takes a thread away from all
/// the others, and nobody else can tell which one it is. The watchdog looks at the turns under way
/// once an interval, from a thread of its own; it stops nobody. Time is counted in looks, so that
/// nobody is blamed when the whole process stood still.
#pragma once

#include "actors/actor_turns.hpp"
#include "protocol/time.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace trunkline {

struct watchdog_options {
  std::chrono::milliseconds interval{1'000};  ///< From look to look.
  std::chrono::milliseconds turn_max{5'000};  ///< An actor is stuck whose turn lasts longer.
  std::chrono::milliseconds reminder{60'000}; ///< From telling of it to telling again.
};

struct stuck_actor {
  std::string name; ///< "remote_host https://a.example:443"
  time_point since; ///< The first look that found it at this turn: late by an interval at most.
};

enum class stuck_news : std::uint8_t {
  began, ///< Its turn has lasted too long.
  lasts, ///< It still does, after each `reminder`.
  ended, ///< It went on.
};

class watchdog {
public:
  /// Called in `look`, for each piece of news; may not block.
  using listener = std::function<void(stuck_news, const stuck_actor&)>;

  /// `watched` lives longer. `told` may be empty.
  watchdog(const caf::actor_system& watched, wall_clock clock, listener told,
           watchdog_options options = {});

  /// Looks from now on, on a thread of its own, until its end.
  void begin();

  /// Looks once. Never on two threads at a time.
  void look();

  /// Returns the actors that were stuck at the last look, the longest first. Any thread.
  std::vector<stuck_actor> stuck() const;

private:
  struct seen_turn {
    open_turn turn;
    time_point since;
    std::int64_t intervals = 0; ///< Since the first look that found it.
  };

  void watch(const std::stop_token& end);
  std::vector<seen_turn> find() const;
  const seen_turn* find_in(const std::vector<seen_turn>& seen, const open_turn& turn) const;
  std::chrono::milliseconds time_of(const seen_turn& seen) const;
  bool is_stuck(const seen_turn& seen) const { return time_of(seen) >= options_.turn_max; }
  void tell_of(const seen_turn& seen) const;
  void tell(stuck_news news, const seen_turn& seen) const;

  const caf::actor_system* watched_;
  wall_clock clock_;
  listener told_;
  watchdog_options options_;
  mutable std::mutex mutex_;
  std::vector<seen_turn> seen_; ///< At the last look. Changed with the mutex held, by `look` alone.
  std::jthread thread_;
};

} // namespace trunkline
