#include "actors/gate_question.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace trunkline {

caf::behavior gate_asker(caf::event_based_actor* self, std::shared_ptr<content_gate> gate,
                         std::shared_ptr<gate_errand> errand) {
  return {[self, gate = std::move(gate), errand = std::move(errand)](caf::unit_t) {
    auto reply = self->make_response_promise();
    auto decided = [errand, asker = caf::actor{self}](gate_decision decision) {
      errand->decision = std::move(decision);
      caf::anon_send(asker, caf::unit);
    };
    gate->check(std::move(errand->from), std::move(errand->what), std::move(decided));
    self->become([self, reply](caf::unit_t) mutable {
      reply.deliver(caf::unit);
      self->quit();
    });
    return reply;
  }};
}

} // namespace trunkline
