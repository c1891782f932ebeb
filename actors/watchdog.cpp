#include "actors/watchdog.hpp"

#include <algorithm>
#include <condition_variable>
#include <utility>

namespace trunkline {

namespace {

bool is_same(const open_turn& one, const open_turn& other) {
  return one.thread == other.thread && one.number == other.number;
}

} // namespace

watchdog::watchdog(const caf::actor_system& watched, wall_clock clock, listener told,
                   watchdog_options options)
    : watched_{&watched}, clock_{std::move(clock)}, told_{std::move(told)}, options_{options} {}

void watchdog::begin() {
  thread_ = std::jthread{[this](const std::stop_token& end) { watch(end); }};
}

void watchdog::watch(const std::stop_token& end) {
  auto mutex = std::mutex{};
  auto bell = std::condition_variable_any{};
  auto held = std::unique_lock{mutex};
  while (!bell.wait_for(held, end, options_.interval, [&end] { return end.stop_requested(); }))
    look();
}

void watchdog::look() {
  auto found = find();
  {
    const auto held = std::scoped_lock{mutex_};
    seen_.swap(found);
  }
  for (const auto& earlier : found)
    if (is_stuck(earlier) && !find_in(seen_, earlier.turn))
      tell(stuck_news::ended, earlier);
  for (const auto& seen : seen_)
    if (is_stuck(seen))
      tell_of(seen);
}

/// What is under way now, each with the time that it has been seen at its turn.
std::vector<watchdog::seen_turn> watchdog::find() const {
  auto found = std::vector<seen_turn>{};
  const auto now = clock_();
  for (auto& turn : open_turns(*watched_)) {
    const auto* earlier = find_in(seen_, turn);
    found.push_back({.turn = std::move(turn),
                     .since = earlier ? earlier->since : now,
                     .intervals = earlier ? earlier->intervals + 1 : 0});
  }
  return found;
}

const watchdog::seen_turn* watchdog::find_in(const std::vector<seen_turn>& seen,
                                             const open_turn& turn) const {
  const auto found =
      std::ranges::find_if(seen, [&turn](const seen_turn& one) { return is_same(one.turn, turn); });
  return found == seen.end() ? nullptr : &*found;
}

std::chrono::milliseconds watchdog::time_of(const seen_turn& seen) const {
  return seen.intervals * options_.interval;
}

void watchdog::tell_of(const seen_turn& seen) const {
  const auto over = time_of(seen) - options_.turn_max;
  if (over < options_.interval)
    tell(stuck_news::began, seen);
  else if (over % options_.reminder < options_.interval)
    tell(stuck_news::lasts, seen);
}

void watchdog::tell(stuck_news news, const seen_turn& seen) const {
  if (told_)
    told_(news, {.name = seen.turn.actor, .since = seen.since});
}

std::vector<stuck_actor> watchdog::stuck() const {
  auto list = std::vector<stuck_actor>{};
  {
    const auto held = std::scoped_lock{mutex_};
    for (const auto& seen : seen_)
      if (is_stuck(seen))
        list.push_back({.name = seen.turn.actor, .since = seen.since});
  }
  std::ranges::stable_sort(list, {}, &stuck_actor::since);
  return list;
}

} // namespace trunkline
