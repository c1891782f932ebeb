/// Messages and handle of a webhook's sender.
#pragma once

#include "net/http_exchange.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>

namespace trunkline {

/// Sends nothing more, and writes how far the receiver has taken the events; done when the database
/// has it. For a shutdown.
struct close_webhook {};

/// INTERNAL: a moment has passed.
struct webhook_tick {};

/// INTERNAL: a request has ended; from a thread of the HTTP client.
struct webhook_answered {
  std::uint64_t attempt = 0; ///< Which one.
  exchange_outcome outcome;
};

using webhook_sender_handle =
    caf::typed_actor<caf::replies_to<close_webhook>::with<void>,
                     // INTERNAL
                     caf::reacts_to<webhook_tick>, caf::reacts_to<webhook_answered>>;

} // namespace trunkline
