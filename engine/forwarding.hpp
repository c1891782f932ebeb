/// How a request comes through another node: what stands by asks who serves, and answers what that
/// one said.
#pragma once

#include "actors/link_messages.hpp"
#include "net/http_types.hpp"

#include <caf/error.hpp>

namespace trunkline {

/// Returns a question that asks another node to answer `request`, and gives its answer to `reply`.
ask_peer forwarded(link_topic topic, const http_request& request, const http_reply& reply);

/// Returns the answer when nobody gave one: 503 when nothing was done, 413 when it was too long to
/// be passed on, 504 when nobody can tell.
http_response unanswered(link_topic topic, const caf::error& why);

/// Returns a reply whose answer goes back to the node that asked.
http_reply answering(const peer_reply& reply);

} // namespace trunkline
