#include "storage/host_shards.hpp"

#include "storage/shard_moves.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace trunkline {

namespace {

/// What came later than now came before the clock was set back.
bool is_settled(const shard_place& place, time_point now) {
  return place.moved_at + settled_for <= now || place.moved_at > now + fresh_ahead;
}

bool is_owner(const cluster_node& node, const shard_place& place) {
  return place.node == node.id && place.incarnation == node.incarnation;
}

} // namespace

std::vector<host_shard_move> misplaced_host_shards(const cluster_view& view, std::int64_t node) {
  const auto* own = view.find(node);
  if (!own)
    return {};
  const auto keeps_some = is_fit(*own, actor_kind::host);
  auto candidates = std::vector<const cluster_node*>{};
  for (const auto& each : view.nodes)
    if (each.id == node ? keeps_some : may_receive(each, actor_kind::host, view.now))
      candidates.push_back(&each);
  auto moves = std::vector<host_shard_move>{};
  const auto placement = host_placement{std::move(candidates)};
  for (auto at = std::size_t{0}; at < shard_count; ++at) {
    const auto& place = view.hosts[at];
    if (!is_owner(*own, place) || (keeps_some && !is_settled(place, view.now)))
      continue;
    const auto shard = static_cast<std::uint8_t>(at);
    const auto* to = placement.node_of(shard);
    if (to && to != own)
      moves.push_back({.shard = shard, .to = to->id});
  }
  return moves;
}

caf::expected<std::vector<std::uint8_t>>
hand_on_host_shards(database& db, const write_fence& giver,
                    std::span<const host_shard_move> moves) {
  auto locks = node_locks{};
  auto by_receiver = std::map<std::int64_t, std::vector<std::uint8_t>>{};
  locks.want(giver.node, row_lock::shared);
  for (const auto& move : moves) {
    locks.want(move.to, row_lock::shared);
    by_receiver[move.to].push_back(move.shard);
  }
  if (auto failure = locks.take(db))
    return failure;
  const auto view = read_cluster(db);
  if (!view)
    return view.error();
  if (!is_in(*view, giver))
    return fence_refusal();
  auto moved = std::vector<std::uint8_t>{};
  for (const auto& [id, shards] : by_receiver) {
    const auto* to = view->find(id);
    if (!to || id == giver.node || !may_receive(*to, actor_kind::host, view->now))
      continue;
    const auto more =
        move_host_shards(db, {.node = giver.node, .incarnation = giver.incarnation}, shards, *to);
    if (!more)
      return more.error();
    moved.insert(moved.end(), more->begin(), more->end());
  }
  std::ranges::sort(moved);
  return moved;
}

} // namespace trunkline
