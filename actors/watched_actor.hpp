/// An actor whose turns the watchdog sees: every one that shares its thread with others. What
/// blocks by intent has a thread of its own, and is none.
#pragma once

#include "actors/actor_turns.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <string>
#include <utility>

namespace trunkline {

template <class State, class Base>
class watched_actor : public caf::stateful_actor<State, Base> {
public:
  template <class... Ts>
  explicit watched_actor(caf::actor_config& config, Ts&&... values)
      : caf::stateful_actor<State, Base>{config, std::forward<Ts>(values)...},
        label_{this->home_system()} {}

  caf::resumable::resume_result resume(caf::execution_unit* unit,
                                       std::size_t messages_max) override {
    const auto turn = actor_turn{label_};
    return caf::stateful_actor<State, Base>::resume(unit, messages_max);
  }

  /// What the watchdog calls it: its kind, and its key where there are several of the kind. Once,
  /// at the start.
  void set_label(std::string label) { label_.set(std::move(label)); }

private:
  actor_label label_;
};

/// The `self` of a watched actor: the first parameter of the function that is spawned.
template <class Handle, class State>
using watched_pointer = watched_actor<State, typename Handle::base>*;

} // namespace trunkline
