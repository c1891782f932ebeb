/// Whom a row of the log goes to on other servers: an audience, and endpoints beside it.
///
/// On the writer's thread; every function reads a bounded number of rows.
#pragma once

#include "protocol/codes.hpp"
#include "storage/reach_store.hpp"

#include <caf/error.hpp>

#include <span>
#include <vector>

namespace trunkline {

struct addressees {
  audience_id audience;           ///< 0: none.
  std::vector<endpoint_id> extra; ///< In any order, also twice; `settle` brings order.

  /// Adds an endpoint; 0, one of ours, is left out.
  void add(endpoint_id endpoint);

  /// Sorts, leaves out what is there twice and what comes after `extra_endpoints_max`.
  void settle();

  bool is_nobody() const { return !audience && extra.empty(); }
};

/// Adds those of other servers whom a post names: what is direct goes to their own inboxes.
void add_named(addressees& to, std::span<const account_reach> named, visibility seen_by);

/// Adds the endpoints of every audience that a post had, but for those of `to.audience`.
caf::error add_past_audiences(database& db, addressees& to, post_id post);

/// Adds the endpoints of the audiences of boosts of a post, but for those of `to.audience`.
caf::error add_boost_audiences(database& db, addressees& to, post_id post);

/// Adds whoever answered, liked, boosted or voted from afar.
caf::error add_interactors(database& db, addressees& to, post_id post);

} // namespace trunkline
