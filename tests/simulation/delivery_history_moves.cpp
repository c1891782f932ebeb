#include "tests/simulation/delivery_history.hpp"

#include "protocol/shard.hpp"

namespace trunkline::simulation {

/// All hosts are in two shards: one of them, or both.
void delivery_history::move_shards() {
  auto moved = shard_set{};
  const auto both = chance(30);
  const auto first = some_host();
  for (const auto& host : names_)
    if (const auto shard = host_shard(kit::delivery_world::address(host));
        both || shard == host_shard(kit::delivery_world::address(first)))
      moved.set(shard);
  for (const auto& host : names_)
    if (moved[host_shard(kit::delivery_world::address(host))])
      oracle_.bans().forget_pace(host);
  const auto to = below(nodes_);
  oracle_.tell("shards go to node " + std::to_string(to));
  world_.hand_over(moved, to);
}

/// What it had under way is lost; another node has its shards, or it comes back.
void delivery_history::end_node() {
  const auto node = below(nodes_);
  for (const auto& host : names_)
    if (world_.node_of(kit::delivery_world::address(host)) == node) {
      oracle_.bans().forget_replaced(host);
      oracle_.books_lost(host);
    }
  ++mine_.node_deaths;
  oracle_.tell("node " + std::to_string(node) + " is killed");
  world_.kill_node(node, below(nodes_),
                   [this](const std::string& host) { oracle_.host_ended(host); });
}

} // namespace trunkline::simulation
