#include "actors/debug_actor.hpp"

namespace trunkline {

debug_actor_handle::behavior_type debug_actor_state::make_behavior(std::chrono::seconds time) {
  self_->send(self_, caf::tick_atom_v);
  return {[this, time](caf::tick_atom) { keep_busy(time); }};
}

void debug_actor_state::keep_busy(std::chrono::seconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
  self_->quit();
}

debug_actor_handle::behavior_type
debug_actor(watched_pointer<debug_actor_handle, debug_actor_state> self,
            std::chrono::seconds time) {
  self->set_label("debug_actor " + std::to_string(self->id()));
  return self->state.make_behavior(time);
}

} // namespace trunkline
