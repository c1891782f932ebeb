/// The nodes of a cluster: their leases, which process runs each of them, and who owns the shards.
///
/// The database decides, on its own clock. Whoever changes an owner holds the old owner's row
/// alone: a batch of the old owner that is under way commits before, one that comes later finds its
/// fence fallen. Rows are locked in the order of the ids, in one transaction per operation.
///
/// The account shards have one owner and change hands together; each host shard goes where it
/// belongs among the nodes that may have it (`protocol/placement.hpp`). A node gets shards of the
/// kinds that it has a weight for: `cluster.account_weight`, `cluster.host_weight`. Those that
/// nobody else could have fall to whoever acts, whatever its weight.
#pragma once

#include "protocol/placement.hpp"
#include "storage/cluster_view.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trunkline {

/// Nodes there can be, each with a slot of its own from 0 on.
inline constexpr std::size_t node_slots = 256;

struct join_wish {
  std::string name;   ///< "": the node that is alone, with the id 1 and the slot 0.
  std::string holder; ///< Equal only for processes that cannot run at once: boot and locked folder.
  std::string address;
  node_weights weights;
  std::optional<lease_mark> waited_out; ///< A lease whose whole `join_wait::length` has passed.
};

struct joined_node {
  std::int64_t id = 0;
  std::uint8_t slot = 0;
  std::int64_t incarnation = 0;
  bool serves = false; ///< It owns all account shards; else it stands by.
};

/// Another process runs the node: its lease has to end first.
struct join_wait {
  std::chrono::microseconds length{0};
  std::string holder;
  lease_mark lease;
};

using join_answer = std::variant<joined_node, join_wait>;

/// Enters the node `wish.name` with a new incarnation and a new lease. It gets the account shards
/// when no other live node owns one, and the host shards that belong on it and are no other live
/// node's; those it had before, those without an owner. Fails with
/// `errc::config_invalid`, which says what to do, when no slot is free or a node without a name
/// meets others.
caf::expected<join_answer> join_cluster(database& db, const join_wish& wish);

enum class lease_answer : std::uint8_t {
  held,   ///< Until `lease_length` from now.
  dead,   ///< Somebody marked it dead, or it has left.
  raised, ///< It lives with a later incarnation: two processes have one name.
};

struct renewal {
  lease_answer answer = lease_answer::held;
  cluster_view view; ///< After it.
};

/// What a node says with each renewal.
struct renewal_words {
  std::string report = "{}";            ///< Of itself: a JSON object.
  std::vector<std::string> unreachable; ///< Names of nodes without a round trip for 3.5 s.
};

/// Renews the lease; waits for no batch of the node.
caf::expected<renewal> renew_lease(database& db, const write_fence& node,
                                   const renewal_words& words = {});

enum class takeover : std::uint8_t {
  done,    ///< The loser is dead; its shards belong to nodes that have renewed lately, if any has.
  not_due, ///< It has renewed or gone meanwhile, or its lease is not over.
  deposed, ///< The taker is not, or no longer, what it says.
};

/// Marks `loser` dead and gives its shards away, if its lease is over and is still the one that
/// was seen. The taker itself gets those that nobody else may have.
caf::expected<takeover> take_over(database& db, const write_fence& taker, const lease_mark& loser);

/// Gives away the shards whose owner is no incarnation that may write. Returns whether it did: not
/// when there are none, when nobody may have them or when `giver` is not what it says.
caf::expected<bool> give_free_shards(database& db, const write_fence& giver);

enum class step_aside_answer : std::uint8_t {
  not_due, ///< It is one of those that are kept, or nobody of them could have its shards.
  refused, ///< It gets no shards until it is admitted. It had none.
  left,    ///< Its shards are others', and it has left: it may join again, refused.
};

/// Refuses a node that is not among `kept_nodes`; its shards, of both kinds, go to those that are.
caf::expected<step_aside_answer> step_aside(database& db, const write_fence& node);

/// Lets a refused node have shards again.
caf::error readmit(database& db, const write_fence& node);

struct departure {
  bool was_member = false;               ///< Else nothing has changed.
  std::optional<std::int64_t> successor; ///< Who got its account shards, if it had them.
};

/// Gives the node's shards to the others, and lets go of the lease: from then on the fence refuses
/// it. Those that nobody may have wait for whoever comes first.
caf::expected<departure> leave_cluster(database& db, const write_fence& node);

} // namespace trunkline
