#include "storage/cluster_view.hpp"

#include <algorithm>

namespace trunkline {

namespace {

/// One statement, so that the nodes, their shards and the clock fit together.
std::string view_sql(const database& db) {
  return "SELECT " + std::string{node_columns} +
         ", coalesce(owned.shards, 0), said.moment, said.server FROM (SELECT " +
         std::string{db.now_sql()} + " AS moment, " + std::string{db.server_sql()} +
         " AS server) said LEFT JOIN node ON 1 = 1 LEFT JOIN (SELECT node_id, incarnation,"
         " count(*) AS shards FROM shard_owner GROUP BY node_id, incarnation) owned"
         " ON owned.node_id = node.id AND owned.incarnation = node.incarnation ORDER BY node.id";
}

constexpr auto shards_column = node_columns_count; ///< Behind them.

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
    return may_write(node.state) && node.shards == shards_in_all;
  });
  return found == nodes.end() ? nullptr : &*found;
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
  const auto found = db.run(view_sql(db));
  if (!found)
    return found.error();
  auto view = cluster_view{};
  for (const auto& row : found->rows) {
    view.now = row.at(shards_column + 1).time();
    view.server = row.at(shards_column + 2).text();
    if (row[0].is_null()) // nobody has ever joined
      continue;
    auto& node = view.nodes.emplace_back();
    static_cast<node_row&>(node) = node_from(row);
    node.shards = static_cast<std::size_t>(row[shards_column].integer());
    if (may_write(node.state))
      view.free_shards -= std::min(view.free_shards, node.shards);
  }
  return view;
}

} // namespace trunkline
