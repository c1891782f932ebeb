/// Host shards on their way to the nodes where they belong.
///
/// Their owner hands them on while it lives: what it has under way with them is written in the same
/// transaction, which neither waits for its other batches nor stops them.
#pragma once

#include "storage/cluster_view.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace trunkline {

/// A host shard stays where it is for this long after it came, so that a node that comes and goes
/// moves each of them once.
inline constexpr auto settled_for = std::chrono::microseconds{std::chrono::seconds{30}};

struct host_shard_move {
  std::uint8_t shard = 0;
  std::int64_t to = 0; ///< The id of a node.

  friend bool operator==(const host_shard_move&, const host_shard_move&) = default;
};

/// Returns which host shards of `node`, in its present incarnation, belong on other nodes that may
/// receive them, by shard: those that are settled. All that it owns when it may keep none: it is
/// leaving or refused, or has no weight for hosts. Pure; none when nobody else may receive.
std::vector<host_shard_move> misplaced_host_shards(const cluster_view& view, std::int64_t node);

/// Changes the owner of those of the shards that `giver` still owns. For a transaction that is open
/// in `db` and is of the giver's writer: the rows of giver and receivers are held until its end, in
/// the order of the ids, so that none of them is deposed before. Returns the shards that were
/// moved, in order; not those whose receiver does not live, has not tried to renew lately, is
/// refused or has no weight for hosts. Fails with `fence_refusal` when `giver` may not write.
caf::expected<std::vector<std::uint8_t>>
hand_on_host_shards(database& db, const write_fence& giver, std::span<const host_shard_move> moves);

} // namespace trunkline
