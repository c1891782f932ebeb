/// Messages and handle of the signing pool: the only place where private keys are used.
#pragma once

#include "actors/unsent_reply.hpp"
#include "net/http_exchange.hpp"
#include "net/http_types.hpp"
#include "protocol/codes.hpp"
#include "protocol/http_signature.hpp"
#include "protocol/ids.hpp"

#include <caf/error.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <memory>
#include <string>

namespace trunkline {

/// Asks for the headers of a signed request.
struct sign_request {
  account_id signer; ///< 0: the instance actor.
  signature_scheme scheme = signature_scheme::cavage;
  http_method method = http_method::get;
  std::string url;
  std::shared_ptr<const std::string> body;     ///< Null: none.
  std::string body_sha256;                     ///< Raw bytes; "" and it is computed.
  delivery_class cls = delivery_class::direct; ///< `direct` goes before `bulk`.
  /// The old key signs what reports its replacement.
  bool with_previous_key = false;
};

/// Signs a request and sends it from the thread that has signed: whoever asks hears of the end
/// alone. A message less on the way of each delivery.
struct sign_and_send {
  sign_request wish;
  outgoing_request request; ///< Its headers come after those of the signature.
  std::shared_ptr<http_sender> sender;
  exchange_handler done; ///< Handed to the sender.
  unsent_reply unsent;   ///< Told instead when there is no signature; fails as `sign_request` does.
};

/// Everything to send but Host and Content-Type.
struct signed_headers {
  http_headers headers;
};

/// Asks for a public key; made, stored and answered when the account has none yet.
struct ask_public_key {
  account_id owner; ///< 0: the instance actor.
};

struct public_key_text {
  std::string pem;
};

/// INTERNAL: a worker is free.
struct signing_done {};

using signing_handle = caf::typed_actor<
    // Fails with `not_found` when there is no such account of ours, `unavailable` when too many
    // wait.
    caf::replies_to<sign_request>::with<signed_headers>, caf::reacts_to<sign_and_send>,
    caf::replies_to<ask_public_key>::with<public_key_text>,
    // INTERNAL
    caf::reacts_to<signing_done>>;

} // namespace trunkline
