/// Messages and handle of the signature checker: who signed this request?
#pragma once

#include "net/http_types.hpp"
#include "protocol/host_address.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <memory>
#include <string>

namespace trunkline {

/// Asks who signed a request. The key is fetched when it is not known, and once more when it does
/// not fit; both under the budget of the key's host.
struct check_signature {
  std::shared_ptr<const http_request> request;
  bool has_body = true; ///< POST: a digest must be signed.
};

/// An actor whose key signed the request; its document and its key name each other.
struct verified_signer {
  std::string key_id;
  std::string actor; ///< The actor's id.
  host_address host; ///< Of the actor.
};

using signature_checker_handle = caf::typed_actor<
    // Fails with `unauthenticated` (no, a weak or a wrong signature; a key that cannot be had),
    // `malformed`, `forbidden` (the host is blocked), `gone` (the key's document answered 410:
    // the context is the key's id), or `unavailable` (too many look-ups for that host).
    caf::replies_to<check_signature>::with<verified_signer>>;

} // namespace trunkline
