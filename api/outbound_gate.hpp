/// What clients do, shown to the embedder's filters before anybody is asked to store it: posts and
/// their edits, boosts, favourites and follows.
#pragma once

#include "actors/content_gate.hpp"
#include "api/gateway.hpp"
#include "protocol/post.hpp"
#include "protocol/views.hpp"

#include <functional>

namespace trunkline {

/// Asks the filters about what `who` does. Hands on what may happen; a refusal is answered with 422
/// and, beside its reason, the filter's name as "rejected_by"; a filter that fails closed with 503.
void ask_filters(gateway_state& gateway, account_id who, filtered_activity what,
                 const http_reply& reply, std::function<void(const gate_decision&)> then);

/// The same; without filters `show`, which makes the activity, is not called.
template <class Show, class Then>
void pass_filters(gateway_state& gateway, account_id who, const http_reply& reply, Show show,
                  Then then) {
  if (!gateway.services->gate)
    return then(gate_decision{});
  ask_filters(gateway, who, show(), reply, then);
}

/// Shows a draft, without what it answers. Names are "name@domain", as they are typed.
filtered_activity show_draft(const post_draft& draft);

/// Changes a draft as decided.
void apply_decision(const gate_decision& decided, post_draft& draft);

/// Returns the id of a post, ours or another server's.
std::string id_of(const post_view& post, const api_services& services);

/// Returns what filters call the object: "Note" or "Question".
std::string object_type_of(const post_view& post);

} // namespace trunkline
