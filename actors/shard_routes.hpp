/// Which node each shard of hosts is on, as the database has said last. Any thread.
#pragma once

#include "protocol/host_address.hpp"
#include "protocol/shard.hpp"

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

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

private:
  mutable std::mutex mutex_;
  nodes nodes_;
};

} // namespace trunkline
