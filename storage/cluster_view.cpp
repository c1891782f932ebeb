#include "storage/cluster_view.hpp"

#include "protocol/codes.hpp"

#include <algorithm>

namespace trunkline {

namespace {

/// One statement, so that the nodes and the clock fit together.
std::string nodes_sql(const database& db) {
  return "SELECT " + std::string{node_columns} + ", said.moment, said.server FROM (SELECT " +
         std::string{db.now_sql()} + " AS moment, " + std::string{db.server_sql()} +
         " AS server) said LEFT JOIN node ON 1 = 1 ORDER BY node.id";
}

constexpr auto moment_column = node_columns_count; ///< Behind them.

caf::error read_nodes(database& db, cluster_view& view) {
  const auto found = db.run(nodes_sql(db));
  if (!found)
    return found.error();
  for (const auto& row : found->rows) {
    view.now = row.at(moment_column).time();
    view.server = row.at(moment_column + 1).text();
    if (!row[0].is_null()) // else nobody has ever joined
      static_cast<node_row&>(view.nodes.emplace_back()) = node_from(row);
  }
  return {};
}

/// One statement, so that they fit together.
constexpr auto places_sql =
    std::string_view{"SELECT kind, shard, node_id, incarnation, moved_at FROM shard_owner"};

/// Counts the shard for the node that is in that incarnation.
void count_shard(cluster_view& view, actor_kind kind, const shard_place& place) {
  const auto owner = std::ranges::find(view.nodes, place.node, &cluster_node::id);
  if (owner == view.nodes.end() || owner->incarnation != place.incarnation)
    return;
  const auto is_account = kind == actor_kind::account;
  ++(is_account ? owner->account_shards : owner->host_shards);
  if (may_write(owner->state))
    --(is_account ? view.free_account_shards : view.free_host_shards);
}

} // namespace

const cluster_node* cluster_view::find(std::int64_t id) const {
  const auto found = std::ranges::find(nodes, id, &cluster_node::id);
  return found == nodes.end() ? nullptr : &*found;
}

const cluster_node* cluster_view::find(std::string_view name) const {
  const auto found = std::ranges::find(nodes, name, &cluster_node::name);
  return found == nodes.end() ? nullptr : &*found;
}

const cluster_node* cluster_view::serving() const {
  const auto found = std::ranges::find_if(nodes, [](const cluster_node& node) {
    return may_write(node.state) && node.account_shards == shard_count;
  });
  return found == nodes.end() ? nullptr : &*found;
}

const cluster_node* cluster_view::host_owner(std::uint8_t shard) const {
  const auto& place = hosts[shard];
  const auto* owner = find(place.node);
  const auto is_owner = owner && owner->incarnation == place.incarnation && may_write(owner->state);
  return is_owner ? owner : nullptr;
}

bool is_fresh(const cluster_node& node, time_point now) {
  return node.tried_at >= now - fresh_for && node.tried_at <= now + fresh_ahead;
}

bool is_over(time_point lease_until, time_point now) {
  return lease_until + lease_grace <= now || lease_until > now + lease_length + lease_grace;
}

std::chrono::microseconds time_until_over(time_point lease_until, time_point now) {
  const auto left = std::min(lease_until, now + lease_length) + lease_grace - now;
  return std::max(left, std::chrono::microseconds{0});
}

caf::expected<cluster_view> read_cluster(database& db) {
  // Before the nodes: who has come since would else seem to be nobody, and lose its shards.
  const auto places = db.run(places_sql);
  if (!places)
    return places.error();
  auto view = cluster_view{};
  if (auto failure = read_nodes(db, view))
    return failure;
  for (const auto& row : places->rows) {
    const auto kind = static_cast<actor_kind>(row[0].integer());
    const auto place = shard_place{
        .node = row[2].integer(), .incarnation = row[3].integer(), .moved_at = row[4].time()};
    if (kind == actor_kind::host)
      view.hosts[static_cast<std::uint8_t>(row[1].integer())] = place;
    count_shard(view, kind, place);
  }
  return view;
}

} // namespace trunkline
