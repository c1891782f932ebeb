/// How each shard of hosts stands with the dispatcher of this node.
#pragma once

#include "protocol/shard.hpp"

#include <caf/typed_response_promise.hpp>
#include <caf/unit.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace trunkline {

enum class shard_phase : std::uint8_t {
  elsewhere,
  loading, ///< It is this node's; what the database has of it is not read yet.
  here,
  leaving, ///< It is being given up: its hosts finish what they have under way.
};

class shard_phases {
public:
  shard_phase of(std::size_t shard) const { return phases_[shard]; }
  void set(const shard_set& shards, shard_phase phase) {
    for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
      if (shards[shard])
        phases_[shard] = phase;
  }
  shard_set all(shard_phase phase) const {
    auto found = shard_set{};
    for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
      found[shard] = phases_[shard] == phase;
    return found;
  }

private:
  std::array<shard_phase, shard_count> phases_{};
};

/// Dead letters of a host that are kept.
struct kept_letters {
  std::uint8_t shard = 0; ///< Of the host.
  std::int64_t count = 0;
};

/// Shards that are given up together.
struct leaving_shards {
  shard_set shards;
  caf::typed_response_promise<caf::unit_t> reply;
  std::optional<std::int64_t> written_by; ///< The first checkpoint that has all. None: not yet.
};

} // namespace trunkline
