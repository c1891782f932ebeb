/// The actor that shows that the scheduler runs actors: it calls a function at every beat.
#pragma once

#include <caf/atom.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>

namespace trunkline {

using heartbeat_handle = caf::typed_actor<caf::reacts_to<caf::tick_atom>>;

/// Calls `beat` at once and every `interval` from then on, each time after a turn in the scheduler.
/// `beat` must not block.
inline heartbeat_handle::behavior_type heartbeat(heartbeat_handle::pointer self,
                                                 std::function<void()> beat,
                                                 std::chrono::microseconds interval) {
  self->send(self, caf::tick_atom_v);
  return {[=](caf::tick_atom) {
    beat();
    self->delayed_send(self, interval, caf::tick_atom_v);
  }};
}

} // namespace trunkline
