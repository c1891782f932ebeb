#include "engine/testing/inner_world.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// An arbitrary day; far from both ends of the calendar.
constexpr auto first_day = time_point{std::chrono::sys_days{std::chrono::year{2026} / 11 / 25}};

/// Where the actors' clocks begin: far from zero, which stands for "never" here and there.
constexpr auto first_tick = std::chrono::hours{24};

caf::actor_clock::time_point tick_at(std::chrono::nanoseconds elapsed) {
  return caf::actor_clock::time_point{first_tick + elapsed};
}

} // namespace

inner_world::inner_world(std::uint64_t seed) : chances_{seed + 1}, network_{*this} {
  if (seed != 0)
    random_.emplace(seed);
}

inner_world::~inner_world() {
  close();
}

time_point inner_world::now() const {
  return first_day + std::chrono::floor<std::chrono::microseconds>(elapsed_);
}

std::uint64_t inner_world::chance() {
  return chances_();
}

std::shared_ptr<node_sender> inner_world::sender(const std::string& own_host) {
  return network_.sender(own_host);
}

void inner_world::attach(const std::string& host, http_handler handler) {
  network_.attach(host, std::move(handler));
}

void inner_world::detach(const std::string& host) {
  network_.detach(host);
}

void inner_world::enter(caf::actor_system& system) {
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  scheduler.clock().current_time = tick_at(elapsed_);
  systems_.push_back({&system, &scheduler});
}

void inner_world::leave(caf::actor_system& system) {
  const auto found = std::ranges::find(systems_, &system, &inhabitant::system);
  if (found == systems_.end())
    return;
  auto& scheduler = *found->scheduler;
  // Messages may set timers, and dropped timers may end actors, which send messages.
  for (auto round = std::size_t{0}; round < messages_max; ++round) {
    scheduler.clock().cancel_all();
    if (!scheduler.try_run_once())
      break;
  }
  systems_.erase(found);
}

void inner_world::later(std::function<void()> call) {
  if (!closed_)
    calls_.push_back(std::move(call));
}

void inner_world::after(std::chrono::nanoseconds delay, std::function<void()> call) {
  if (!closed_)
    timers_.emplace(elapsed_ + delay, std::move(call));
}

void inner_world::close() {
  closed_ = true;
  // What is destroyed may look at the world: it sees empty lists.
  const auto calls = std::exchange(calls_, {});
  const auto timers = std::exchange(timers_, {});
}

void inner_world::run_call(std::size_t which) {
  const auto at = calls_.begin() + static_cast<std::ptrdiff_t>(which);
  const auto call = std::move(*at);
  calls_.erase(at);
  call();
}

bool inner_world::step() {
  return random_ ? step_by_chance() : step_in_turn();
}

bool inner_world::step_in_turn() {
  const auto turns = systems_.size() + 1;
  for (auto tried = std::size_t{0}; tried < turns; ++tried) {
    const auto turn = turn_++ % turns;
    if (turn < systems_.size()) {
      if (systems_[turn].scheduler->try_run_once())
        return true;
    } else if (!calls_.empty()) {
      run_call(0);
      return true;
    }
  }
  return false;
}

bool inner_world::step_by_chance() {
  auto all = calls_.size();
  for (const auto& one : systems_)
    all += one.scheduler->jobs.size();
  if (all == 0)
    return false;
  auto chosen = static_cast<std::size_t>((*random_)() % all);
  for (const auto& one : systems_) {
    auto& jobs = one.scheduler->jobs;
    if (chosen < jobs.size()) {
      const auto job = jobs.begin() + static_cast<std::ptrdiff_t>(chosen);
      std::rotate(jobs.begin(), job, job + 1);
      return one.scheduler->try_run_once();
    }
    chosen -= jobs.size();
  }
  run_call(chosen);
  return true;
}

std::optional<inner_world::duration> inner_world::next_timer() const {
  auto next = std::optional<duration>{};
  const auto take = [&](duration moment) {
    const auto due = std::max(moment, elapsed_);
    next = next ? std::min(*next, due) : due;
  };
  if (!timers_.empty())
    take(timers_.begin()->first);
  for (const auto& one : systems_) {
    const auto& schedule = one.scheduler->clock().schedule();
    if (!schedule.empty())
      take(schedule.begin()->first.time_since_epoch() - first_tick);
  }
  return next;
}

void inner_world::move_to(duration moment) {
  const auto by = moment - elapsed_;
  elapsed_ = moment;
  for (const auto& one : systems_)
    one.scheduler->clock().advance_time(by);
  while (!timers_.empty() && timers_.begin()->first <= elapsed_) {
    calls_.push_back(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
  }
}

/// Timers without a wait are due at once.
bool inner_world::fire_due() {
  const auto next = next_timer();
  if (!next || *next > elapsed_)
    return false;
  move_to(elapsed_);
  return true;
}

bool inner_world::settle() {
  for (auto steps = std::size_t{0}; steps < messages_max; ++steps)
    if (!step() && !fire_due())
      return true;
  return false;
}

void inner_world::advance(std::chrono::nanoseconds span) {
  const auto end = elapsed_ + span;
  settle();
  while (elapsed_ < end) {
    move_to(std::min(next_timer().value_or(end), end));
    settle();
  }
}

bool inner_world::run_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto end = elapsed_ + limit;
  for (auto steps = std::size_t{0}; !done(); ++steps) {
    if (steps == messages_max)
      return false;
    if (step())
      continue;
    const auto next = next_timer().value_or(end);
    if (next > elapsed_)
      steps = 0;
    if (next > end || (next == end && elapsed_ == end)) {
      move_to(std::max(end, elapsed_));
      return done();
    }
    move_to(next);
  }
  return true;
}

} // namespace trunkline
