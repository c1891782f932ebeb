#include "protocol/placement.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace trunkline;

namespace {

using weights = std::array<std::uint32_t, 3>;

std::string_view winner(actor_kind kind, std::uint8_t shard, weights each) {
  const auto nodes =
      std::to_array<placement_candidate>({{"a", each[0]}, {"b", each[1]}, {"c", each[2]}});
  const auto place = preferred_node(kind, shard, nodes);
  return place ? nodes[*place].name : "";
}

} // namespace

// Computed with another implementation: Python's hashlib and math.log.
TEST_CASE("a shard's node is where another implementation says", "[placement]") {
  CHECK(winner(actor_kind::account, 0, {1, 1, 1}) == "a");
  CHECK(winner(actor_kind::account, 1, {1, 1, 1}) == "c");
  CHECK(winner(actor_kind::account, 255, {1, 1, 1}) == "b");
  CHECK(winner(actor_kind::host, 0, {1, 1, 1}) == "b");
  CHECK(winner(actor_kind::host, 2, {1, 1, 1}) == "a");
  CHECK(winner(actor_kind::host, 255, {1, 1, 1}) == "c");
  CHECK(winner(actor_kind::account, 1, {1, 5, 1}) == "b");
  CHECK(winner(actor_kind::account, 17, {1, 5, 1}) == "c");
  CHECK(winner(actor_kind::host, 2, {1, 5, 1}) == "b");
}

TEST_CASE("a node without weight gets nothing", "[placement]") {
  CHECK(winner(actor_kind::account, 0, {0, 1, 1}) != "a");
  CHECK(winner(actor_kind::account, 0, {0, 0, 1}) == "c");
  CHECK(winner(actor_kind::account, 0, {0, 0, 0}).empty());
  CHECK_FALSE(preferred_node(actor_kind::host, 0, {}));
}

TEST_CASE("weights share the shards, and who comes takes from others only what is its own",
          "[placement]") {
  auto of_b = 0;
  for (const auto kind : {actor_kind::account, actor_kind::host})
    for (auto shard = 0; shard < 256; ++shard) {
      const auto at = static_cast<std::uint8_t>(shard);
      const auto before = winner(kind, at, {1, 3, 0});
      of_b += before == "b";
      const auto after = winner(kind, at, {1, 3, 1});
      CHECK((after == before || after == "c"));
    }
  CHECK(of_b == 363); // of 512, three quarters being 384; by the other implementation as well
}

TEST_CASE("the weights of a node are read from its column, whatever is in there", "[placement]") {
  CHECK(read_node_weights("{}") == node_weights{});
  CHECK(read_node_weights("{\"host\":0}") == node_weights{.account = 1, .host = 0});
  CHECK(read_node_weights("{\"account\":5000,\"host\":-1}") ==
        node_weights{.account = weight_max, .host = 1});
  CHECK(read_node_weights("nonsense") == node_weights{});
  CHECK(read_node_weights("[]") == node_weights{});
  const auto some = node_weights{.account = 3, .host = 7};
  CHECK(to_json(some) == "{\"account\":3,\"host\":7}");
  CHECK(read_node_weights(to_json(some)) == some);
  CHECK(some.of_all() == 3);
}
