/// What the actors of a node need of the cluster that it is in.
///
/// Every function may be called from any thread and must not block.
#pragma once

#include "actors/link_messages.hpp"
#include "storage/database.hpp"

#include <functional>
#include <string>
#include <vector>

namespace trunkline {

struct cluster_wires {
  std::string own_name;
  write_fence node;                                 ///< As what the node works.
  std::function<std::vector<std::string>()> others; ///< Names of the nodes that live.
  std::function<void(const std::string& node, ask_peer)> ask;
  std::function<void()> on_moved; ///< Shards of this node's have another owner.
};

} // namespace trunkline
