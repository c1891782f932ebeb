/// What the effects of inbound activities look up: things by the id that another server gave them,
/// and whom here they concern.
///
/// Each function belongs in the transaction of its arrival and makes one statement.
#pragma once

#include "protocol/graph.hpp"
#include "protocol/ids.hpp"
#include "protocol/object_key.hpp"
#include "storage/database.hpp"
#include "storage/graph_store.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trunkline {

/// Returns who of `followee`'s followers, or who asks to be one, sent the Follow with this id.
caf::expected<std::optional<account_id>> find_follower_by_uri(database& db, account_id followee,
                                                              const std::string& uri);

/// Returns whom `follower` follows, or asks to, by the Follow with this id.
caf::expected<std::optional<account_id>> find_followee_by_uri(database& db, account_id follower,
                                                              const std::string& uri);

/// Gives a follow the id of a newer Follow.
caf::error rename_follow(database& db, const follow_edge& edge, const std::string& uri);

/// Returns which post `account` likes by the Like with this id.
caf::expected<std::optional<post_id>> find_liked_by_uri(database& db, account_id account,
                                                        const std::string& uri);

/// Returns whom `blocker` blocks by the Block with this id.
caf::expected<std::optional<account_id>> find_blocked_by_uri(database& db, account_id blocker,
                                                             const std::string& uri);

/// Tells whether `blocker` blocks `blocked`.
caf::expected<bool> is_blocked_by(database& db, account_id blocker, account_id blocked);

/// Tells whether somebody of ours follows `account`.
caf::expected<bool> has_local_follower(database& db, account_id account);

/// Addresses that one statement looks at.
inline constexpr std::size_t addresses_looked_at_max = 200;

/// Returns those of ours whose actors are among the first `addresses_looked_at_max` of `uris`,
/// sorted.
caf::expected<std::vector<account_id>> local_accounts_among(database& db,
                                                            std::span<const std::string> uris);

/// Tells whether the log has a row of `author` about `object`, of any kind.
caf::expected<bool> is_logged(database& db, account_id author, const object_key& object);

/// A follower of ours, as far as he follows somebody else in the same way.
struct local_follower {
  account_id id;
  std::string name;
  std::string follow_uri; ///< The id of the Follow.
  follow_options options;
};

/// Returns at most `limit` of ours who follow `followee` or ask to, by id.
caf::expected<std::vector<local_follower>> local_followers(database& db, account_id followee,
                                                           std::int64_t limit);

} // namespace trunkline
