/// Virtual time, as a node sees it: one thread runs everything, and time moves only when told to.
///
/// Implemented by `trunkline::testing::world`. A node that is given one starts and ends in the
/// calling thread, opens no listener, and has no threads but its log's.
#pragma once

#include "engine/node_sender.hpp"
#include "net/http_types.hpp"
#include "protocol/time.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace trunkline {

class virtual_world {
public:
  virtual ~virtual_world() = default;

  /// The wall clock of every node in it.
  virtual time_point now() const = 0;

  /// A number that depends on the seed and on how often it was asked: chance that can be repeated.
  virtual std::uint64_t chance() = 0;

  /// The network, for the requests of the node at `own_host` to other servers; those to itself are
  /// refused.
  virtual std::shared_ptr<node_sender> sender(const std::string& own_host) = 0;

  /// Lets the network find the node at `host` ("a.example"); `handler` serves its requests.
  virtual void attach(const std::string& host, http_handler handler) = 0;
  virtual void detach(const std::string& host) = 0;

  /// Adds or removes an actor system (policy "testing") whose messages and timers the world moves.
  /// What is left of a system's messages and timers when it leaves is dropped.
  virtual void enter(caf::actor_system& system) = 0;
  virtual void leave(caf::actor_system& system) = 0;

  /// Runs `call` in the world's thread, in its turn, outside of any actor.
  virtual void later(std::function<void()> call) = 0;

  /// The same once `delay` has passed.
  virtual void after(std::chrono::nanoseconds delay, std::function<void()> call) = 0;

  /// Moves messages, then time, until `done()` or `limit` of the world's time has passed. May be
  /// called within a call of `later`. Returns whether it is done.
  virtual bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit) = 0;
};

} // namespace trunkline
