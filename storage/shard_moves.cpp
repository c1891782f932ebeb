#include "storage/shard_moves.hpp"

#include "storage/sql_list.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace trunkline {

namespace {

/// All account shards go where this one belongs.
constexpr auto deciding_shard = std::uint8_t{0};

/// Holds the shards that are made and have not been given yet.
constexpr auto nobody = shard_holder{};

constexpr auto kinds = std::to_array({actor_kind::account, actor_kind::host});

std::uint32_t weight_of(const cluster_node& node, actor_kind kind) {
  const auto weights = read_node_weights(node.weights);
  return kind == actor_kind::account ? weights.account : weights.host;
}

std::vector<placement_candidate> candidates_of(std::span<const cluster_node* const> nodes,
                                               actor_kind kind) {
  auto candidates = std::vector<placement_candidate>{};
  for (const auto* node : nodes)
    candidates.push_back({.name = node->name, .weight = weight_of(*node, kind)});
  return candidates;
}

const cluster_node* account_target(std::span<const cluster_node* const> nodes) {
  for (const auto* node : nodes)
    if (node->account_shards > 0)
      return node;
  const auto candidates = candidates_of(nodes, actor_kind::account);
  const auto place = preferred_node(actor_kind::account, deciding_shard, candidates);
  return place ? nodes[*place] : nullptr;
}

bool is_free(const shard_holder& holder, const cluster_view& view) {
  return !is_in(view, {.node = holder.node, .incarnation = holder.incarnation});
}

/// Makes the shards that are not there yet as nobody's, and holds one that whoever moves shards of
/// nobody takes first.
caf::error make_shards(database& db) {
  auto made = db.run("WITH RECURSIVE number(shard) AS (SELECT 0 UNION ALL"
                     " SELECT shard + 1 FROM number WHERE shard + 1 < $1)"
                     " INSERT INTO shard_owner(kind, shard, node_id, incarnation, moved_at)"
                     " SELECT kinds.kind, number.shard, CAST($2 AS BIGINT), CAST($3 AS BIGINT), " +
                         std::string{db.now_sql()} +
                         " FROM number CROSS JOIN (SELECT 1 AS kind UNION ALL SELECT 2) kinds"
                         " WHERE true ON CONFLICT (kind, shard) DO NOTHING",
                     {static_cast<std::int64_t>(shard_count), nobody.node, nobody.incarnation});
  if (!made)
    return std::move(made.error());
  auto held = db.run("SELECT shard FROM shard_owner WHERE kind = 1 AND shard = 0" +
                     std::string{db.lock_sql(row_lock::exclusive)});
  return held ? caf::error{} : std::move(held.error());
}

caf::expected<std::size_t> move_account_shards(database& db, const shard_holder& from,
                                               const cluster_node& to) {
  auto moved = db.run("UPDATE shard_owner SET node_id = $1, incarnation = $2, moved_at = " +
                          std::string{db.now_sql()} +
                          " WHERE kind = 1 AND node_id = $3 AND incarnation = $4",
                      {to.id, to.incarnation, from.node, from.incarnation});
  if (!moved)
    return std::move(moved.error());
  return static_cast<std::size_t>(moved->rows_written);
}

caf::expected<std::size_t>
move_host_shards(database& db, const shard_holder& from,
                 const std::array<const cluster_node*, shard_count>& to) {
  auto by_target = std::map<std::int64_t, std::vector<std::uint8_t>>{}; // in one order for all
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    if (to[shard])
      by_target[to[shard]->id].push_back(static_cast<std::uint8_t>(shard));
  auto count = std::size_t{0};
  for (const auto& [node, shards] : by_target) {
    const auto moved = move_host_shards(db, from, shards, *to[shards.front()]);
    if (!moved)
      return moved.error();
    count += moved->size();
  }
  return count;
}

} // namespace

caf::expected<cluster_situation> read_situation(database& db) {
  // Before the nodes, as in `read_cluster`: who comes in between is no holder yet.
  const auto found = db.run("SELECT DISTINCT node_id, incarnation FROM shard_owner"
                            " ORDER BY node_id, incarnation");
  if (!found)
    return found.error();
  auto view = read_cluster(db);
  if (!view)
    return std::move(view.error());
  auto known = cluster_situation{.view = std::move(*view), .holders = {}};
  for (const auto& row : found->rows)
    known.holders.push_back({.node = row[0].integer(), .incarnation = row[1].integer()});
  return known;
}

void node_locks::want(std::int64_t node, row_lock lock) {
  auto& wanted = wanted_.try_emplace(node, lock).first->second;
  if (lock == row_lock::exclusive)
    wanted = lock;
}

void node_locks::want_receivers(const cluster_view& view) {
  for (const auto& node : view.nodes)
    if (std::ranges::any_of(kinds, [&](auto kind) { return may_receive(node, kind, view.now); }))
      want(node.id, row_lock::shared);
}

void node_locks::want_free_holders(const cluster_situation& known) {
  for (const auto& holder : known.holders)
    if (is_free(holder, known.view) && known.view.find(holder.node))
      want(holder.node, row_lock::exclusive);
}

caf::error node_locks::take(database& db) const {
  for (const auto& [node, lock] : wanted_) {
    const auto sql = "SELECT id FROM node WHERE id = $1" + std::string{db.lock_sql(lock)};
    if (auto held = db.run(sql, {node}); !held)
      return std::move(held.error());
  }
  return {};
}

bool node_locks::has_alone(std::int64_t node) const {
  const auto found = wanted_.find(node);
  return found != wanted_.end() && found->second == row_lock::exclusive;
}

bool is_in(const cluster_view& view, const write_fence& node) {
  const auto* found = view.find(node.node);
  return found && found->incarnation == node.incarnation && may_write(found->state);
}

bool takes_shards(const cluster_node& node, actor_kind kind) {
  return node.state == node_state::live && weight_of(node, kind) > 0;
}

bool is_fit(const cluster_node& node, actor_kind kind) {
  return takes_shards(node, kind) && !node.refused_since;
}

bool may_receive(const cluster_node& node, actor_kind kind, time_point now) {
  return is_fit(node, kind) && is_fresh(node, now);
}

bool shard_targets::has_none() const {
  return !account && std::ranges::count(hosts, nullptr) == std::ssize(hosts);
}

bool shard_targets::has_all_of(const cluster_node& node) const {
  const auto are_placed = [](const auto* target) { return target != nullptr; };
  return (node.account_shards == 0 || account) &&
         (node.host_shards == 0 || std::ranges::all_of(hosts, are_placed));
}

host_placement::host_placement(std::vector<const cluster_node*> nodes)
    : nodes_{std::move(nodes)}, candidates_{candidates_of(nodes_, actor_kind::host)} {}

const cluster_node* host_placement::node_of(std::uint8_t shard) const {
  const auto place = preferred_node(actor_kind::host, shard, candidates_);
  return place ? nodes_[*place] : nullptr;
}

shard_targets find_targets(const cluster_view& view, const node_filter& may_have) {
  const auto receivers = [&](actor_kind kind) {
    auto nodes = std::vector<const cluster_node*>{};
    for (const auto& node : view.nodes)
      if (may_receive(node, kind, view.now) && may_have(node))
        nodes.push_back(&node);
    return nodes;
  };
  auto targets = shard_targets{.account = account_target(receivers(actor_kind::account))};
  const auto placement = host_placement{receivers(actor_kind::host)};
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    targets.hosts[shard] = placement.node_of(static_cast<std::uint8_t>(shard));
  return targets;
}

void fall_back_on(shard_targets& targets, const cluster_view& view, const cluster_node& last,
                  std::int64_t loser) {
  const auto takes = [&](actor_kind kind) {
    return takes_shards(last, kind) ||
           (last.state == node_state::live &&
            std::ranges::none_of(view.nodes, [&](const cluster_node& other) {
              return other.id != last.id && other.id != loser && is_fit(other, kind);
            }));
  };
  if (!targets.account && takes(actor_kind::account))
    targets.account = &last;
  if (!targets.hosts[0] && takes(actor_kind::host)) // all or none of them have one
    targets.hosts.fill(&last);
}

caf::expected<moved_shards> move_shards(database& db, const shard_holder& from,
                                        const shard_targets& to) {
  auto moved = moved_shards{};
  if (to.account) {
    const auto accounts = move_account_shards(db, from, *to.account);
    if (!accounts)
      return accounts.error();
    moved.account = *accounts;
  }
  const auto hosts = move_host_shards(db, from, to.hosts);
  if (!hosts)
    return hosts.error();
  moved.host = *hosts;
  return moved;
}

caf::expected<std::vector<std::uint8_t>> move_host_shards(database& db, const shard_holder& from,
                                                          std::span<const std::uint8_t> shards,
                                                          const cluster_node& to) {
  if (shards.empty())
    return std::vector<std::uint8_t>{};
  auto values = std::vector<sql_value>{to.id, to.incarnation, from.node, from.incarnation};
  append_ids(values, shards);
  const auto done = db.run("UPDATE shard_owner SET node_id = $1, incarnation = $2, moved_at = " +
                               std::string{db.now_sql()} +
                               " WHERE kind = 2 AND node_id = $3 AND incarnation = $4"
                               " AND shard IN (" +
                               parameters(5, shards.size()) + ") RETURNING shard",
                           values);
  if (!done)
    return done.error();
  auto moved = std::vector<std::uint8_t>{};
  for (const auto& row : done->rows)
    moved.push_back(static_cast<std::uint8_t>(row[0].integer()));
  std::ranges::sort(moved);
  return moved;
}

caf::expected<moved_shards> move_free_shards(database& db, const cluster_situation& known,
                                             const node_locks& locks, const shard_targets& to) {
  if (auto failure = make_shards(db))
    return failure;
  auto holders = known.holders;
  if (std::ranges::none_of(holders, [](const auto& one) { return one.node == nobody.node; }))
    holders.push_back(nobody);
  auto moved = moved_shards{};
  for (const auto& holder : holders) {
    const auto is_held = locks.has_alone(holder.node) || !known.view.find(holder.node);
    if (!is_held || !is_free(holder, known.view))
      continue;
    const auto more = move_shards(db, holder, to);
    if (!more)
      return more.error();
    moved.account += more->account;
    moved.host += more->host;
  }
  return moved;
}

} // namespace trunkline
