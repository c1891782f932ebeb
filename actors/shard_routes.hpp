/// Which node each shard of hosts is on, as the database has said last. Any thread.
#pragma once

#include "protocol/host_address.hpp"
#include "protocol/shard.hpp"

#include <array>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {

class shard_routes {
public:
  /// By shard, the name of its node; "" where nobody has it.
  using nodes = std::array<std::string, shard_count>;

  void set(nodes now) {
    const auto held = std::scoped_lock{mutex_};
    nodes_ = std::move(now);
  }

  std::string node_of(std::uint8_t shard) const {
    const auto held = std::scoped_lock{mutex_};
    return nodes_[shard];
  }
  std::string node_of(const host_address& host) const {
    return node_of(host_shard(host.scheme, host.name, static_cast<std::uint16_t>(host.port)));
  }

  /// The names of all nodes that have some, each once.
  std::vector<std::string> all() const {
    const auto held = std::scoped_lock{mutex_};
    auto names = std::set<std::string>{nodes_.begin(), nodes_.end()};
    names.erase("");
    return {names.begin(), names.end()};
  }

private:
  mutable std::mutex mutex_;
  nodes nodes_;
};

} // namespace trunkline
