/// Shards: the unit by which actors are placed on nodes. Fixed for ever, for it stands in the
/// databases of others. The shard of an id is the first byte of SHA-256 over its canonical key.
#pragma once

#include "protocol/host_address.hpp"
#include "protocol/ids.hpp"

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trunkline {

/// Shards of each kind of actor.
inline constexpr std::size_t shard_count = 256;

/// Some of the shards of one kind.
using shard_set = std::bitset<shard_count>;

inline shard_set all_shards() {
  return shard_set{}.set();
}

/// An account's key is its id, 8 bytes big-endian.
std::uint8_t account_shard(account_id account);

/// A host's key is "scheme://name:port", the port always written out; `name` is canonical.
std::uint8_t host_shard(std::string_view scheme, std::string_view name, std::uint16_t port);
std::uint8_t host_shard(const host_address& host);

/// A tag's key is its folded name; tags live in the account shards.
std::uint8_t tag_shard(std::string_view folded);

} // namespace trunkline
