/// Messages and handle of the resolver: other servers' accounts and posts, found and stored.
#pragma once

#include "protocol/ids.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <string>

namespace trunkline {

/// Finds an account: by "name@domain" (WebFinger, asked both ways) or by its actor's id. Known
/// ones are answered from storage unless they are older than a day or `refresh` is set.
struct resolve_account {
  std::string address;
  bool refresh = false;
};

/// Finds a post by its id or page, and stores it with its author. Of the thread above it at most
/// 20 posts are fetched.
/// With `refresh` a known one is fetched again: edited, or erased when its server answers 404 or
/// 410 (then the answer is a failure).
struct resolve_post {
  std::string url;
  bool refresh = false;
};

/// What a URL turned out to be; one of the two is not 0.
struct resolved_thing {
  account_id account;
  post_id post;
};

/// Finds whatever is at a URL.
struct resolve_url {
  std::string url;
};

using resolver_handle = caf::typed_actor<
    // Each fails with `not_found` (there is nothing, or it is no such thing), `invalid` (no
    // address), `forbidden` (the host is blocked), `gone`, `unavailable` or `timed_out` (its host).
    caf::replies_to<resolve_account>::with<account_id>,
    caf::replies_to<resolve_post>::with<post_id>,
    caf::replies_to<resolve_url>::with<resolved_thing>>;

} // namespace trunkline
