/// Shards: the unit by which accounts are placed on nodes. Fixed for ever, for it stands in the
/// databases of others.
#pragma once

#include "protocol/ids.hpp"

#include <cstddef>
#include <cstdint>

namespace trunkline {

/// Shards of each kind of actor.
inline constexpr std::size_t shard_count = 256;

/// Returns the first byte of SHA-256 over the id's 8 bytes, big-endian.
std::uint8_t account_shard(account_id account);

} // namespace trunkline
