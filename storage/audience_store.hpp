/// Who follows from afar: hosts, their endpoints, and for each author the set of endpoints through
/// which he has followers.
///
/// An audience is a set that a post names for life. It is immutable; a new one is made at the next
/// post after the set has changed, so that a thousand follows between two posts cost one.
#pragma once

#include "protocol/host_address.hpp"
#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

struct endpoint_address {
  host_id host;
  std::string url;     ///< The inbox.
  bool shared = false; ///< Serves more than one account of its host.
};

/// Returns the id of the host at `address`; makes it with the id `fresh` when it is new.
caf::expected<host_id> ensure_host(database& db, const host_address& address, host_id fresh);

/// Returns the id of the endpoint at `address.url`; makes it with the id `fresh` when it is new. A
/// known endpoint keeps its host.
caf::expected<endpoint_id> ensure_endpoint(database& db, const endpoint_address& address,
                                           endpoint_id fresh);

/// Counts one more follower of `author` that is reached through `endpoint`.
caf::error add_follower(database& db, account_id author, endpoint_id endpoint);

/// Counts one less; never below 0. The row stays at 0 while rows of the log may be owed through it.
caf::error remove_follower(database& db, account_id author, endpoint_id endpoint);

/// Returns the audience of what `author` posts now: 0 without remote followers, the newest one when
/// the set is still the same, else a new one with the id `fresh`. Writes at most one row. Call it
/// in the transaction of the post.
caf::expected<audience_id> audience_for_next_post(database& db, account_id author,
                                                  audience_id fresh);

/// Stores endpoints as an audience of `author` that no post is given: of those whom an edit of a
/// post does not name any more, so that its Delete finds them. Returns `fresh`; 0 for no endpoints.
caf::expected<audience_id> keep_endpoints(database& db, account_id author,
                                          const std::vector<endpoint_id>& endpoints,
                                          audience_id fresh);

/// Returns the endpoints of an audience, sorted; none for audience 0. Fails with
/// `errc::not_found`, or `storage_broken` when its bytes are damaged.
caf::expected<std::vector<endpoint_id>> endpoints_of(database& db, audience_id audience);

/// Returns the authors that have or had followers through `endpoint`, sorted.
caf::expected<std::vector<account_id>> authors_through(database& db, endpoint_id endpoint);

} // namespace trunkline
