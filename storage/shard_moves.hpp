/// Moves of shards from nodes that have lost them to those that are fit: the steps that every
/// change of owner is made of. The account shards go together, each host shard where it belongs.
///
/// In one transaction: read the situation, collect the locks, take them, read again, move. What was
/// read before the locks only tells which rows to lock.
#pragma once

#include "protocol/placement.hpp"
#include "storage/cluster_view.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
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

/// Tells whether the node lives, and has a weight for that kind of shards.
bool takes_shards(const cluster_node& node, actor_kind kind);

/// Tells whether the node may be given shards of that kind: it takes some, and is not refused.
bool is_fit(const cluster_node& node, actor_kind kind);

/// Tells whether the node is fit, and has tried to renew lately.
bool may_receive(const cluster_node& node, actor_kind kind, time_point now);

/// Who should have shards; null: nobody, they stay where they are. Valid as long as the view.
struct shard_targets {
  const cluster_node* account = nullptr; ///< All of them.
  std::array<const cluster_node*, shard_count> hosts{};

  bool has_none() const;
  /// Tells whether all shards that the node owns have somebody else to go to.
  bool has_all_of(const cluster_node& node) const;
};

/// Where host shards belong, by the hashes of names and by weights.
class host_placement {
public:
  /// `nodes` may have them; they must outlive this.
  explicit host_placement(std::vector<const cluster_node*> nodes);

  /// Returns the node on which the shard belongs; null when none of them has a weight for hosts.
  const cluster_node* node_of(std::uint8_t shard) const;

private:
  std::vector<const cluster_node*> nodes_;
  std::vector<placement_candidate> candidates_;
};

using node_filter = std::function<bool(const cluster_node&)>;

/// Returns who should have the shards, of the nodes that may receive and that `may_have` wants:
/// the account shards one that has some already, else the one where they belong.
shard_targets find_targets(const cluster_view& view, const node_filter& may_have);

/// Gives `last` what nobody else is there for, also when it is refused; and when it has no weight
/// for it, if nobody but `loser` has one.
void fall_back_on(shard_targets& targets, const cluster_view& view, const cluster_node& last,
                  std::int64_t loser);

struct moved_shards {
  std::size_t account = 0;
  std::size_t host = 0;

  friend bool operator==(const moved_shards&, const moved_shards&) = default;
};

/// Moves what is still `from`'s: of two that move the same shards one finds none.
caf::expected<moved_shards> move_shards(database& db, const shard_holder& from,
                                        const shard_targets& to);

/// Moves those of these host shards that are still `from`'s. Returns them.
caf::expected<std::vector<std::uint8_t>> move_host_shards(database& db, const shard_holder& from,
                                                          std::span<const std::uint8_t> shards,
                                                          const cluster_node& to);

/// Moves what is free, from nodes whose rows are held alone or that never were; makes the shards
/// that are not there yet.
caf::expected<moved_shards> move_free_shards(database& db, const cluster_situation& known,
                                             const node_locks& locks, const shard_targets& to);

} // namespace trunkline
