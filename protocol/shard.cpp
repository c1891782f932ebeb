#include "protocol/shard.hpp"

#include "protocol/crypto.hpp"

#include <string>

namespace trunkline {

namespace {

std::uint8_t shard_of_key(std::string_view canonical) {
  return static_cast<std::uint8_t>(sha256(canonical)[0]);
}

} // namespace

std::uint8_t account_shard(account_id account) {
  auto key = std::string(8, '\0');
  auto rest = static_cast<std::uint64_t>(account.value);
  for (auto at = key.rbegin(); at != key.rend(); ++at, rest >>= 8)
    *at = static_cast<char>(rest & 0xff);
  return shard_of_key(key);
}

std::uint8_t host_shard(std::string_view scheme, std::string_view name, std::uint16_t port) {
  auto key = std::string{scheme};
  key.append("://").append(name).append(":").append(std::to_string(port));
  return shard_of_key(key);
}

std::uint8_t host_shard(const host_address& host) {
  return host_shard(host.scheme, host.name, static_cast<std::uint16_t>(host.port));
}

std::uint8_t tag_shard(std::string_view folded) {
  return shard_of_key(folded);
}

} // namespace trunkline
