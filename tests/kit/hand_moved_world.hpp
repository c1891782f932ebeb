/// A virtual world without messages, network or clock: what it is given to run waits until a test
/// says so. One thread.
#pragma once

#include "engine/embedding/virtual_world.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

class hand_moved_world final : public virtual_world {
public:
  std::function<void()> on_wait = [] {}; ///< Called when somebody waits for what is not so.

  /// Runs what can run now, and what that gives it.
  void settle() {
    while (!calls_.empty())
      for (const auto& call : std::exchange(calls_, {}))
        call();
  }

  /// Lets every timer's time come.
  void fire() {
    for (const auto& call : std::exchange(timers_, {}))
      call();
    settle();
  }
  std::size_t timers() const { return timers_.size(); }

  time_point now() const override { return {}; }
  std::uint64_t chance() override { return 1; }
  std::shared_ptr<node_sender> sender(const std::string&) override { return nullptr; }
  void attach(const std::string&, http_handler) override {}
  void detach(const std::string&) override {}
  void enter(caf::actor_system&) override {}
  void leave(caf::actor_system&) override {}
  void later(std::function<void()> call) override { calls_.push_back(std::move(call)); }
  void after(std::chrono::nanoseconds delay, std::function<void()> call) override {
    CHECK(delay >= std::chrono::seconds{1}); // who comes sooner, again and again, spins
    timers_.push_back(std::move(call));
  }
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds) override {
    if (!done())
      on_wait();
    return done();
  }

private:
  std::vector<std::function<void()>> calls_;
  std::vector<std::function<void()>> timers_;
};

} // namespace trunkline::kit
