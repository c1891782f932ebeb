#include "storage/shard_moves.hpp"

#include "protocol/placement.hpp"

#include <string>

namespace trunkline {

namespace {

/// All shards go where this one belongs.
constexpr auto deciding_kind = actor_kind::account;
constexpr auto deciding_shard = std::uint8_t{0};

bool may_receive(const cluster_node& node, time_point now) {
  return is_fit(node) && is_fresh(node, now);
}

std::uint32_t weight_of(const cluster_node& node) {
  return read_node_weights(node.weights).of_all();
}

bool is_free(const shard_holder& holder, const cluster_view& view) {
  return !is_in(view, {.node = holder.node, .incarnation = holder.incarnation});
}

/// Gives the shards that nobody ever had.
caf::expected<std::int64_t> make_shards(database& db, const write_fence& to) {
  auto made = db.run("WITH RECURSIVE number(shard) AS (SELECT 0 UNION ALL"
                     " SELECT shard + 1 FROM number WHERE shard + 1 < $1)"
                     " INSERT INTO shard_owner(kind, shard, node_id, incarnation, moved_at)"
                     " SELECT kinds.kind, number.shard, CAST($2 AS BIGINT), CAST($3 AS BIGINT), " +
                         std::string{db.now_sql()} +
                         " FROM number CROSS JOIN (SELECT 1 AS kind UNION ALL SELECT 2) kinds"
                         " WHERE true ON CONFLICT (kind, shard) DO NOTHING",
                     {static_cast<std::int64_t>(shard_count), to.node, to.incarnation});
  if (!made)
    return std::move(made.error());
  return made->rows_written;
}

} // namespace

caf::expected<cluster_situation> read_situation(database& db) {
  auto view = read_cluster(db);
  if (!view)
    return std::move(view.error());
  const auto found = db.run("SELECT DISTINCT node_id, incarnation FROM shard_owner"
                            " ORDER BY node_id, incarnation");
  if (!found)
    return found.error();
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
    if (may_receive(node, view.now))
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

bool takes_shards(const cluster_node& node) {
  return node.state == node_state::live && weight_of(node) > 0;
}

bool is_fit(const cluster_node& node) {
  return takes_shards(node) && !node.refused_since;
}

const cluster_node* find_receiver(const cluster_view& view, const node_locks& locks,
                                  std::int64_t loser) {
  auto fit = std::vector<const cluster_node*>{};
  auto candidates = std::vector<placement_candidate>{};
  for (const auto& node : view.nodes) {
    if (node.id == loser || !may_receive(node, view.now) || !locks.has(node.id))
      continue;
    if (node.shards > 0)
      return &node;
    fit.push_back(&node);
    candidates.push_back({.name = node.name, .weight = weight_of(node)});
  }
  const auto place = preferred_node(deciding_kind, deciding_shard, candidates);
  return place ? fit[*place] : nullptr;
}

caf::expected<std::int64_t> move_shards(database& db, const shard_holder& from,
                                        const write_fence& to) {
  auto moved = db.run("UPDATE shard_owner SET node_id = $1, incarnation = $2, moved_at = " +
                          std::string{db.now_sql()} + " WHERE node_id = $3 AND incarnation = $4",
                      {to.node, to.incarnation, from.node, from.incarnation});
  if (!moved)
    return std::move(moved.error());
  return moved->rows_written;
}

caf::expected<std::int64_t> move_free_shards(database& db, const cluster_situation& known,
                                             const node_locks& locks, const write_fence& to) {
  auto moved = make_shards(db, to);
  for (const auto& holder : known.holders) {
    const auto is_held = locks.has_alone(holder.node) || !known.view.find(holder.node);
    if (!moved || !is_held || !is_free(holder, known.view))
      continue;
    auto more = move_shards(db, holder, to);
    moved = more ? caf::expected<std::int64_t>{*moved + *more} : std::move(more);
  }
  return moved;
}

} // namespace trunkline
