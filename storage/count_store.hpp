/// Counts of accounts and posts: what is known already, and for the rest an index is counted.
///
/// Each call makes at most one statement, and none when everything is known.
#pragma once

#include "protocol/counts.hpp"
#include "storage/database.hpp"

#include <span>
#include <unordered_map>

namespace trunkline {

/// Returns the counts of those of `ids` that exist. What `known` does not hold is counted and
/// brought to it; null: everything is counted.
caf::expected<std::unordered_map<account_id, account_counts>>
load_counts(database& db, std::span<const account_id> ids, known_counts* known);
caf::expected<std::unordered_map<post_id, post_counts>>
load_counts(database& db, std::span<const post_id> ids, known_counts* known);

} // namespace trunkline
