/// Real actors in one thread on a fake clock, interleaved by a seed.
///
/// Messages flow in `settle`, one at a time, each from an actor that the seed chooses. Time stands
/// still but for `advance`, which moves the actors' clock and the wall clock together, from timer
/// to timer. What was spawned here ends with the system. It can be stopped between any two
/// messages, as a process that is killed.
#pragma once

#include "protocol/errc.hpp"
#include "protocol/time.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace trunkline::kit {

/// An answer that may not have come yet.
template <class Reply>
class pending_reply {
public:
  bool ready() const { return answer_->has_value(); }
  const caf::expected<Reply>& get() const { return **answer_; }

private:
  friend class deterministic_system;
  std::shared_ptr<std::optional<caf::expected<Reply>>> answer_ =
      std::make_shared<std::optional<caf::expected<Reply>>>();
};

/// Whether a request that is only done has been answered.
class pending_done {
public:
  bool ready() const { return answer_->has_value(); }
  /// No error: it was done.
  const caf::error& failure() const { return **answer_; }

private:
  friend class deterministic_system;
  std::shared_ptr<std::optional<caf::error>> answer_ =
      std::make_shared<std::optional<caf::error>>();
};

class deterministic_system {
public:
  /// Seed 0: every actor in turn.
  explicit deterministic_system(std::uint64_t seed = 0);
  ~deterministic_system();

  caf::actor_system& system() { return *system_; }

  template <class Fun, class... Ts>
  auto spawn(Fun fun, Ts&&... args) {
    return remember(system_->spawn(fun, std::forward<Ts>(args)...));
  }

  /// Lets `actor` end with the system, although it was spawned by something else.
  template <class Handle>
  Handle remember(Handle actor) {
    keep(caf::actor_cast<caf::strong_actor_ptr>(actor));
    return actor;
  }

  /// Handles messages until none is left. Fails the test after a million of them.
  void settle();

  /// Handles at most `steps` messages.
  void settle_partly(std::size_t steps);

  /// Moves the time by `span`, from timer to timer, and settles at each.
  void advance(std::chrono::microseconds span);

  /// After `messages` more nothing is handled and the time stands, until `restart`.
  void stop_after(std::size_t messages) { stops_in_ = messages; }
  void stop() { stops_in_ = 0; }
  bool is_stopped() const { return stops_in_ == std::size_t{0}; }
  /// Messages so far.
  std::uint64_t handled() const { return handled_; }

  time_point now() const { return *now_; }
  /// Steps the wall clock alone: forwards or back.
  void step_wall_clock(std::chrono::microseconds by) { *now_ += by; }
  wall_clock clock() const {
    return [now = now_] { return *now; };
  }

  /// Sends a request and returns at once.
  template <class Reply, class Handle, class Message>
  pending_reply<Reply> start(const Handle& to, Message message) {
    auto reply = pending_reply<Reply>{};
    system_->spawn(
        [answer = reply.answer_, to, held = std::move(message)](caf::event_based_actor* self) {
          self->request(to, caf::infinite, held)
              .then([answer](const Reply& got) { answer->emplace(got); },
                    [answer](caf::error& failure) { answer->emplace(std::move(failure)); });
        });
    return reply;
  }

  /// Likewise, for a request that is answered with nothing but success.
  template <class Handle, class Message>
  pending_done start_done(const Handle& to, Message message) {
    auto reply = pending_done{};
    system_->spawn(
        [answer = reply.answer_, to, held = std::move(message)](caf::event_based_actor* self) {
          self->request(to, caf::infinite, held)
              .then([answer] { answer->emplace(); },
                    [answer](caf::error& failure) { answer->emplace(std::move(failure)); });
        });
    return reply;
  }

  /// Sends a request and settles; moves the time by up to 20 s while no answer has come. Without
  /// any: `errc::timed_out`.
  template <class Reply, class Handle, class Message>
  caf::expected<Reply> ask(const Handle& to, Message message) {
    auto reply = start<Reply>(to, std::move(message));
    settle();
    for (auto waited = 0; waited < 20 && !reply.ready(); ++waited)
      advance(std::chrono::seconds{1});
    if (!reply.ready())
      return make_error(errc::timed_out, "no answer");
    return reply.get();
  }

  /// Ends `actor` at once; what it was about to do is lost.
  template <class Handle>
  void kill(const Handle& actor) {
    end(caf::actor_cast<caf::strong_actor_ptr>(actor));
  }

  /// Ends every actor at once, as a killed process does, and starts an empty actor system. The
  /// time goes on.
  void restart();

private:
  caf::scheduler::test_coordinator& scheduler();
  void keep(caf::strong_actor_ptr actor);
  static void end(const caf::strong_actor_ptr& actor);
  void start_system();
  void stop_system();
  bool step();

  std::shared_ptr<time_point> now_;
  std::optional<std::mt19937_64> random_; ///< Nothing: in turn.
  caf::actor_system_config config_;
  std::optional<caf::actor_system> system_;
  std::vector<caf::strong_actor_ptr> actors_;
  std::optional<std::size_t> stops_in_; ///< Messages; nothing: it goes on.
  std::uint64_t handled_ = 0;
};

} // namespace trunkline::kit
