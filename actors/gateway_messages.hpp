/// Messages and handle of a gateway: the actor that answers HTTP requests.
#pragma once

#include "net/http_types.hpp"

#include <caf/typed_actor.hpp>

#include <functional>
#include <memory>

namespace trunkline {

struct caller;

/// One request and the promise of its answer. The reply holds the ticket with which it came in.
struct gateway_exchange {
  http_request request;
  http_reply reply;
  std::shared_ptr<const caller> who; ///< Of a request in process; null: its headers say who asks.
};

/// INTERNAL: what a gateway has waited for is there, or its time is over.
struct gateway_turn {
  std::function<void()> go_on; ///< Runs in the gateway.
};

using gateway_handle = caf::typed_actor<
    // Every exchange is answered through its reply, at once or later.
    caf::reacts_to<gateway_exchange>,
    // INTERNAL
    caf::reacts_to<gateway_turn>>;

} // namespace trunkline
