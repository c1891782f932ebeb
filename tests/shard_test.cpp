#include "protocol/shard.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

TEST_CASE("an account's shard is the first byte of the hash of its id", "[shard]") {
  // Computed with another implementation of SHA-256, over 8 bytes big-endian.
  CHECK(account_shard({1}) == 205);
  CHECK(account_shard({256}) == 48);
  CHECK(account_shard({0x0123456789abcdef}) == 85);
}

// Computed outside this program, with printf and sha256sum.
TEST_CASE("the shards of hosts and tags come from their canonical keys", "[shard]") {
  CHECK(host_shard("https", "example.org", 443) == 0xa0);
  CHECK(tag_shard("trunkline") == 0xc3);
}
