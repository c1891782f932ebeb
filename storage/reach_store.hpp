/// Through which endpoints accounts are reached, and who must hear what becomes of a post.
#pragma once

#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// Any account, ours too, as far as it is named in what is sent, and where that goes.
struct account_reach {
  account_id id;
  std::string name;         ///< As its owner writes it.
  std::string domain;       ///< "" for ours.
  std::string uri;          ///< The id of its actor.
  endpoint_id inbox;        ///< Its own; 0 for ours.
  endpoint_id shared_inbox; ///< 0 when it has none.
  bool is_deleted = false;

  bool is_local() const { return domain.empty(); }
  /// Where posts for many go.
  endpoint_id bulk() const { return shared_inbox ? shared_inbox : inbox; }
  /// Where goes what only this account may read.
  endpoint_id personal() const { return inbox ? inbox : shared_inbox; }
};

/// Returns the account, also a deleted one; nothing when there is none.
caf::expected<std::optional<account_reach>> find_reach(database& db, account_id id);

/// Returns whom a post names, by id; deleted accounts are left out.
caf::expected<std::vector<account_reach>> mentioned_by(database& db, post_id post);

/// Endpoints that one activity goes to beside an audience.
inline constexpr std::int64_t extra_endpoints_max = 1'000;

/// Returns the endpoints of remote accounts that answered, liked or boosted a post or voted in its
/// poll, sorted; at most `extra_endpoints_max`.
caf::expected<std::vector<endpoint_id>> endpoints_of_interactors(database& db, post_id post);

/// Returns the audiences of boosts of a post by our accounts; at most 100.
caf::expected<std::vector<audience_id>> audiences_of_boosts(database& db, post_id post);

} // namespace trunkline
