/// An actor for tests of a whole node: it keeps its thread busy for a while, as an actor with a bug
/// would, and ends. Nobody spawns it but where `test.enabled` is set.
#pragma once

#include "actors/watched_actor.hpp"

#include <caf/atom.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>

namespace trunkline {

/// Sends itself the one message that keeps it busy.
using debug_actor_handle = caf::typed_actor<caf::reacts_to<caf::tick_atom>>;

class debug_actor_state {
public:
  explicit debug_actor_state(debug_actor_handle::pointer self) : self_{self} {}

  debug_actor_handle::behavior_type make_behavior(std::chrono::seconds time);

private:
  void keep_busy(std::chrono::seconds time);

  debug_actor_handle::pointer self_;
};

debug_actor_handle::behavior_type
debug_actor(watched_pointer<debug_actor_handle, debug_actor_state> self, std::chrono::seconds time);

} // namespace trunkline
