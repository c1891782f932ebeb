#include "protocol/shard.hpp"

#include "protocol/crypto.hpp"

namespace trunkline {

std::uint8_t account_shard(account_id account) {
  auto key = std::string(8, '\0');
  for (auto index = std::size_t{0}; index < key.size(); ++index)
    key[index] = static_cast<char>(account.value >> (56 - 8 * index));
  return static_cast<std::uint8_t>(sha256(key)[0]);
}

} // namespace trunkline
