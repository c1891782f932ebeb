#include "kit/deterministic_system.hpp"

#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

#include <algorithm>
#include <stdexcept>

namespace trunkline::kit {

namespace {

/// An arbitrary day; far from both ends of the calendar.
constexpr auto first_day = time_point{std::chrono::sys_days{std::chrono::year{2026} / 11 / 25}};

constexpr std::size_t messages_max = 1'000'000;

} // namespace

deterministic_system::deterministic_system(std::uint64_t seed)
    : now_{std::make_shared<time_point>(first_day)} {
  if (seed != 0)
    random_.emplace(seed);
  config_.set("scheduler.policy", caf::atom("testing"));
  start_system();
}

deterministic_system::~deterministic_system() {
  stop_system();
}

caf::scheduler::test_coordinator& deterministic_system::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

void deterministic_system::keep(caf::strong_actor_ptr actor) {
  actors_.push_back(std::move(actor));
}

void deterministic_system::end(const caf::strong_actor_ptr& actor) {
  if (actor) // high priority: it overtakes every other message
    actor->enqueue(nullptr, caf::make_message_id(caf::message_priority::high),
                   caf::make_message(caf::exit_msg{actor->address(), caf::exit_reason::kill}),
                   nullptr);
}

void deterministic_system::start_system() {
  system_.emplace(config_);
  system_->await_actors_before_shutdown(false);
}

void deterministic_system::stop_system() {
  for (const auto& actor : actors_)
    end(actor);
  while (scheduler().try_run_once()) {
  }
  actors_.clear();
  system_.reset();
}

void deterministic_system::restart() {
  stop_system();
  stops_in_.reset();
  start_system();
}

bool deterministic_system::step() {
  if (is_stopped())
    return false;
  auto& jobs = scheduler().jobs;
  if (random_ && jobs.size() > 1) {
    const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>((*random_)() % jobs.size());
    std::rotate(jobs.begin(), chosen, chosen + 1);
  } else if (jobs.size() > 1) {
    std::rotate(jobs.begin(), jobs.begin() + 1, jobs.end());
  }
  if (!scheduler().try_run_once())
    return false;
  ++handled_;
  if (stops_in_ && *stops_in_ > 0)
    --*stops_in_;
  return true;
}

void deterministic_system::settle() {
  for (auto steps = std::size_t{0}; step(); ++steps)
    if (steps == messages_max)
      throw std::runtime_error{"deterministic_system: messages never end"};
}

void deterministic_system::settle_partly(std::size_t steps) {
  while (steps-- > 0 && step()) {
  }
}

void deterministic_system::advance(std::chrono::microseconds span) {
  settle();
  auto& clock = scheduler().clock();
  const auto end = clock.now() + span;
  while (!is_stopped()) {
    const auto& timers = clock.schedule();
    const auto next = timers.empty() ? end : std::min(timers.begin()->first, end);
    const auto by = std::max(next - clock.now(), clock.now() - clock.now());
    *now_ += std::chrono::duration_cast<std::chrono::microseconds>(by);
    clock.advance_time(by);
    settle();
    if (clock.now() >= end)
      return;
  }
}

} // namespace trunkline::kit
