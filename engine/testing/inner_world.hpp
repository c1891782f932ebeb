/// The virtual world: the actor systems, calls and timers of one thread, in an order that a seed
/// chooses, and the time that they share.
#pragma once

#include "engine/embedding/virtual_world.hpp"
#include "engine/testing/world_network.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace trunkline {

class inner_world final : public virtual_world, public std::enable_shared_from_this<inner_world> {
public:
  /// Messages at one moment before it is said not to end.
  static constexpr std::size_t messages_max = 1'000'000;

  /// Seed 0: everything in turn.
  explicit inner_world(std::uint64_t seed);
  ~inner_world() override;
  inner_world(const inner_world&) = delete;
  inner_world& operator=(const inner_world&) = delete;

  time_point now() const override;
  std::uint64_t chance() override;
  std::shared_ptr<node_sender> sender(const std::string& own_host) override;
  void attach(const std::string& host, http_handler handler) override;
  void detach(const std::string& host) override;
  void enter(caf::actor_system& system) override;
  void leave(caf::actor_system& system) override;
  void later(std::function<void()> call) override;
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit) override;

  /// Runs `call` in its turn once `delay` has passed.
  void after(std::chrono::nanoseconds delay, std::function<void()> call) override;

  /// Runs everything that can run now. Returns false when it did not end.
  bool settle();

  /// Moves the time by `span`, from timer to timer, and settles at each.
  void advance(std::chrono::nanoseconds span);

  /// Forgets every call and timer, and takes no more.
  void close();

  world_network& network() { return network_; }

private:
  using duration = std::chrono::nanoseconds;

  struct inhabitant {
    caf::actor_system* system;
    caf::scheduler::test_coordinator* scheduler;
  };

  bool step();
  bool step_in_turn();
  bool step_by_chance();
  void run_call(std::size_t which);
  std::optional<duration> next_timer() const;
  void move_to(duration moment);
  bool fire_due();

  std::optional<std::mt19937_64> random_; ///< Nothing: in turn.
  std::mt19937_64 chances_;
  duration elapsed_{0};
  std::vector<inhabitant> systems_;
  std::size_t turn_ = 0; ///< Whose turn it is: a system's, or that of the calls.
  std::deque<std::function<void()>> calls_;
  std::multimap<duration, std::function<void()>> timers_;
  bool closed_ = false;
  world_network network_;
};

} // namespace trunkline
