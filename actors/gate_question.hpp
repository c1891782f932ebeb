/// Asks the gate from within an actor: the decision comes as an answer to the actor, whichever
/// thread the filters run on.
#pragma once

#include "actors/content_gate.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/fwd.hpp>
#include <caf/unit.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace trunkline {

/// How long a gate may keep its word; its decision is "later" then.
inline constexpr auto gate_deadline = std::chrono::seconds{60};

/// INTERNAL: what is asked, and what came.
struct gate_errand {
  activity_origin from;
  filtered_activity what;
  gate_decision decision;
};

/// INTERNAL: the actor that waits for one decision.
caf::behavior gate_asker(caf::event_based_actor* self, std::shared_ptr<content_gate> gate,
                         std::shared_ptr<gate_errand> errand);

/// Asks `gate` and calls `then(gate_decision)` in `self`, once.
template <class Self, class Then>
void ask_gate(Self* self, const std::shared_ptr<content_gate>& gate, activity_origin from,
              filtered_activity what, Then then) {
  auto errand = std::make_shared<gate_errand>(
      gate_errand{.from = std::move(from), .what = std::move(what), .decision = {}});
  const auto asker = self->spawn(gate_asker, gate, errand);
  self->request(asker, gate_deadline, caf::unit)
      .then([errand, then]() mutable { then(std::move(errand->decision)); },
            [then](const caf::error&) mutable {
              then(gate_decision{.what = gate_decision::kind::later,
                                 .reason = "chain: gave no answer",
                                 .activity = {}});
            });
}

} // namespace trunkline
