/// Which shards of hosts this node runs actors of: written by the dispatcher, asked by the region
/// of hosts and by whoever sends to them.
///
/// A shard is here from the moment its books are about to be read until it is given up. Any thread.
#pragma once

#include "protocol/shard.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace trunkline {

class shard_places {
public:
  shard_places() = default;
  explicit shard_places(const shard_set& here) { add(here); }
  shard_places(const shard_places&) = delete;
  shard_places& operator=(const shard_places&) = delete;

  void add(const shard_set& gained);
  void remove(const shard_set& left);

  bool has(std::uint8_t shard) const { return here_[shard]; }
  bool has(const host_address& host) const { return has(host_shard(host)); }
  shard_set all() const;

private:
  std::array<std::atomic<bool>, shard_count> here_{};
};

} // namespace trunkline
