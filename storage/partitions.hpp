/// Which nodes stay when not all of them can reach each other.
///
/// Pure: what follows from a view. Each node says with its renewals whom it cannot reach; a pair is
/// cut when either says so. Those that are kept can all reach each other, and are found in one
/// order that is the same for everybody: who is refused already comes last, then who reaches more
/// comes first, who owns the account shards, who has been there for longer.
#pragma once

#include "storage/cluster_view.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace trunkline {

/// Returns the column `node.unreachable`, which names of nodes need no escapes for.
std::string join_names(const std::vector<std::string>& names);

/// Returns the ids of the nodes that stay: of those that live and have tried to renew lately.
std::set<std::int64_t> kept_nodes(const cluster_view& view);

/// Tells whether a node but `node` lives, has tried to renew lately and is not refused.
bool has_others(const cluster_view& view, std::int64_t node);

/// Tells whether there is one of the kept nodes, but not `node`, for each kind of shards that
/// `node` owns.
bool has_receiver(const cluster_view& view, std::int64_t node);

} // namespace trunkline
