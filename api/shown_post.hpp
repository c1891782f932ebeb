/// What handlers share that act on one post: finding the post in the path, and showing one.
#pragma once

#include "actors/queries_views.hpp"
#include "api/handling.hpp"

namespace trunkline {

/// Answers with the post as `viewer` sees it; 404 when he may not.
inline void answer_post(gateway_state& gateway, account_id viewer, post_id id,
                        const http_reply& reply) {
  ask(gateway, ask_post(viewer, id, gateway.services->viewing()), reply,
      [&gateway, reply, viewer](const post_view& post) {
        reply(json_response(to_entity(post, viewer, gateway.services->here)));
      });
}

/// Hands the post in the path to `then`, if the caller may see it; everything else is answered 404.
template <class Then>
void with_post(gateway_state& gateway, const matched_request& request, const http_reply& reply,
               Then then) {
  const auto id = path_id<post_id>(request);
  if (!id)
    return refuse(gateway, reply, id.error());
  ask(gateway, ask_post(request.who.account, *id, gateway.services->viewing()), reply, then);
}

/// The same, with what the post boosts in its place.
template <class Then>
void with_original(gateway_state& gateway, const matched_request& request, const http_reply& reply,
                   Then then) {
  with_post(gateway, request, reply,
            [then](const post_view& post) { then(post.boosted ? *post.boosted : post); });
}

} // namespace trunkline
