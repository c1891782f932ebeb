/// Moves of all shards from nodes that have lost them to one that is fit: the steps that every
/// change of owner is made of.
///
/// In one transaction: read the situation, collect the locks, take them, read again, move. What was
/// read before the locks only tells which rows to lock.
#pragma once

#include "storage/cluster_view.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace trunkline {

/// Who owns shards, dead or alive.
struct shard_holder {
  std::int64_t node = 0;
  std::int64_t incarnation = 0;
};

/// Who is there and who owns what.
struct cluster_situation {
  cluster_view view;
  std::vector<shard_holder> holders;
};

caf::expected<cluster_situation> read_situation(database& db);

/// The nodes whose rows an operation holds, and how.
class node_locks {
public:
  /// The stronger of two wishes counts.
  void want(std::int64_t node, row_lock lock);
  /// Those that may be given shards stay what they are.
  void want_receivers(const cluster_view& view);
  /// Those in whose name shards are free.
  void want_free_holders(const cluster_situation& known);

  /// Takes them in the order of the ids, so that no two operations wait for each other.
  caf::error take(database& db) const;

  bool has(std::int64_t node) const { return wanted_.contains(node); }
  bool has_alone(std::int64_t node) const;

private:
  std::map<std::int64_t, row_lock> wanted_;
};

/// Tells whether `node` is there in that incarnation and may write.
bool is_in(const cluster_view& view, const write_fence& node);

/// Tells whether the node lives, and takes shards of each kind.
bool takes_shards(const cluster_node& node);

/// Tells whether the node may be given all shards: it takes some, and is not refused.
bool is_fit(const cluster_node& node);

/// Returns who of the locked nodes but `loser` should have all shards: of those that renewed lately
/// one that has some already, else the one where they belong. Null when there is none.
const cluster_node* find_receiver(const cluster_view& view, const node_locks& locks,
                                  std::int64_t loser);

/// Moves what is still `from`'s: of two that move the same shards one finds none. Returns how many.
caf::expected<std::int64_t> move_shards(database& db, const shard_holder& from,
                                        const write_fence& to);

/// Moves what is free, from nodes whose rows are held alone or that never were; makes the shards
/// that are not there yet. Returns how many.
caf::expected<std::int64_t> move_free_shards(database& db, const cluster_situation& known,
                                             const node_locks& locks, const write_fence& to);

} // namespace trunkline
