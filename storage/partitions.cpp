#include "storage/partitions.hpp"

#include "storage/shard_moves.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <tuple>

namespace trunkline {

namespace {

constexpr auto separator = ',';

bool names(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto end = std::min(list.find(separator), list.size());
    if (list.substr(0, end) == wanted)
      return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

bool are_cut(const cluster_node& one, const cluster_node& other) {
  return names(one.unreachable, other.name) || names(other.unreachable, one.name);
}

bool is_present(const cluster_node& node, time_point now) {
  return node.state == node_state::live && is_fresh(node, now);
}

} // namespace

std::string join_names(const std::vector<std::string>& names) {
  auto list = std::string{};
  for (const auto& name : names)
    list += (list.empty() ? "" : std::string{separator}) + name;
  return list;
}

std::set<std::int64_t> kept_nodes(const cluster_view& view) {
  auto present = std::vector<const cluster_node*>{};
  for (const auto& node : view.nodes)
    if (is_present(node, view.now))
      present.push_back(&node);
  using rank = std::tuple<bool, std::ptrdiff_t, bool, time_point, std::int64_t>;
  auto order = std::map<rank, const cluster_node*>{};
  for (const auto* node : present) {
    const auto cuts = std::ranges::count_if(
        present, [&](const cluster_node* other) { return are_cut(*node, *other); });
    order[{node->refused_since.has_value(), cuts, node->account_shards == 0, node->joined_at,
           node->id}] = node;
  }
  auto kept = std::vector<const cluster_node*>{};
  for (const auto& [place, node] : order)
    if (std::ranges::none_of(kept,
                             [&, one = node](const auto* other) { return are_cut(*one, *other); }))
      kept.push_back(node);
  auto ids = std::set<std::int64_t>{};
  for (const auto* node : kept)
    ids.insert(node->id);
  return ids;
}

bool has_others(const cluster_view& view, std::int64_t node) {
  return std::ranges::any_of(view.nodes, [&](const cluster_node& other) {
    return other.id != node && is_present(other, view.now) && !other.refused_since;
  });
}

bool has_receiver(const cluster_view& view, std::int64_t node) {
  const auto* own = view.find(node);
  const auto kept = kept_nodes(view);
  const auto has_one_for = [&](actor_kind kind) {
    return std::ranges::any_of(view.nodes, [&](const cluster_node& other) {
      return other.id != node && kept.contains(other.id) && is_fit(other, kind);
    });
  };
  return own && (own->account_shards == 0 || has_one_for(actor_kind::account)) &&
         (own->host_shards == 0 || has_one_for(actor_kind::host));
}

} // namespace trunkline
