#include "storage/partitions.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto now = time_point{1'000'000s};
using ids = std::set<std::int64_t>;

/// Nodes n1, n2, ... that have all renewed just now; the first one serves.
cluster_view view_of(int count) {
  auto view = cluster_view{};
  view.now = now;
  for (auto i = 1; i <= count; ++i) {
    auto node = cluster_node{};
    node.id = i;
    node.name = "n" + std::to_string(i);
    node.joined_at = now - 100s + std::chrono::seconds{i};
    node.tried_at = now - 1s;
    node.lease_until = now + 5s;
    node.account_shards = i == 1 ? shard_count : 0;
    view.nodes.push_back(std::move(node));
  }
  return view;
}

cluster_node& node(cluster_view& view, int number) {
  return view.nodes[static_cast<std::size_t>(number - 1)];
}

} // namespace

TEST_CASE("nodes that reach each other are all kept", "[partitions]") {
  CHECK(kept_nodes(view_of(0)).empty());
  CHECK(kept_nodes(view_of(1)) == ids{1});
  CHECK(kept_nodes(view_of(5)) == ids{1, 2, 3, 4, 5});
}

TEST_CASE("of a cluster in two parts the larger one is kept, whoever says so",
          "[partitions][F11]") {
  auto view = view_of(3);
  node(view, 1).unreachable = "n2,n3";
  CHECK(kept_nodes(view) == ids{2, 3});
  view = view_of(3);
  node(view, 2).unreachable = "n1";
  node(view, 3).unreachable = "n1";
  CHECK(kept_nodes(view) == ids{2, 3});
}

TEST_CASE("of two the owner stays, and else the older one", "[partitions]") {
  auto view = view_of(2);
  node(view, 2).unreachable = "n1";
  CHECK(kept_nodes(view) == ids{1});
  node(view, 1).account_shards = 0;
  node(view, 2).account_shards = shard_count;
  CHECK(kept_nodes(view) == ids{2});
  node(view, 2).account_shards = 0;
  CHECK(kept_nodes(view) == ids{1});
  node(view, 1).joined_at = now;
  CHECK(kept_nodes(view) == ids{2});
  node(view, 1).host_shards = shard_count; // they are on all nodes, and decide nothing
  CHECK(kept_nodes(view) == ids{2});
}

TEST_CASE("where one line of three is cut its worse end goes", "[partitions][F12]") {
  auto view = view_of(3);
  node(view, 1).unreachable = "n2"; // n3 reaches both, n1 serves
  CHECK(kept_nodes(view) == ids{1, 3});
  view = view_of(3);
  node(view, 2).unreachable = "n3";
  CHECK(kept_nodes(view) == ids{1, 2});
}

TEST_CASE("a ring of five keeps nodes that reach each other", "[partitions][F12]") {
  auto view = view_of(5);
  for (auto i = 1; i <= 5; ++i) // each reaches its two neighbours alone
    node(view, i).unreachable =
        "n" + std::to_string((i + 1) % 5 + 1) + ",n" + std::to_string((i + 2) % 5 + 1);
  CHECK(kept_nodes(view) == ids{1, 2});
}

TEST_CASE("who is refused gives way, and is kept where it disturbs nobody", "[partitions]") {
  auto view = view_of(3);
  node(view, 1).refused_since = now - 5s;
  CHECK(kept_nodes(view) == ids{1, 2, 3});
  node(view, 3).unreachable = "n1";
  CHECK(kept_nodes(view) == ids{2, 3});
  CHECK(has_others(view, 1));
  node(view, 2).refused_since = node(view, 3).refused_since = now;
  CHECK_FALSE(has_others(view, 1));
}

TEST_CASE("who has not tried lately is not asked about", "[partitions]") {
  auto view = view_of(3);
  node(view, 2).unreachable = node(view, 3).unreachable = "n1";
  node(view, 2).tried_at = now - 4s;
  node(view, 3).state = node_state::dead;
  CHECK(kept_nodes(view) == ids{1});
  CHECK_FALSE(has_others(view, 1));
}

TEST_CASE("a node can hand over when there is a kept one for each kind of its shards",
          "[partitions]") {
  auto view = view_of(3); // n1 owns account shards alone
  CHECK(has_receiver(view, 1));
  node(view, 2).weights = R"({"account":0,"host":1})";
  CHECK(has_receiver(view, 1));
  node(view, 3).refused_since = now;
  CHECK_FALSE(has_receiver(view, 1));
  node(view, 1).account_shards = 0;
  node(view, 1).host_shards = 7;
  CHECK(has_receiver(view, 1));
  node(view, 1).account_shards = shard_count;
  CHECK_FALSE(has_receiver(view, 1));
  node(view, 3).refused_since.reset();
  CHECK(has_receiver(view, 1));
  node(view, 2).state = node_state::leaving;
  node(view, 3).weights = R"({"account":1,"host":0})";
  CHECK_FALSE(has_receiver(view, 1));
}

TEST_CASE("names are whole names", "[partitions]") {
  CHECK(join_names({}).empty());
  CHECK(join_names({"n1", "n11"}) == "n1,n11");
  auto view = view_of(2);
  node(view, 1).name = "n";
  node(view, 2).unreachable = "n1,nn,an";
  CHECK(kept_nodes(view) == ids{1, 2});
}

TEST_CASE("whatever is cut, those that are kept reach each other, and no other could be kept too",
          "[partitions]") {
  for (auto cuts = 0U; cuts < 1U << 10; ++cuts) { // of five nodes: all pairs
    auto view = view_of(5);
    auto pairs = std::set<std::pair<int, int>>{};
    auto bit = 0U;
    for (auto a = 1; a <= 5; ++a)
      for (auto b = a + 1; b <= 5; ++b)
        if (cuts >> bit++ & 1U) {
          pairs.insert({a, b});
          auto& said = node(view, a).unreachable;
          said += (said.empty() ? "n" : ",n") + std::to_string(b);
        }
    const auto kept = kept_nodes(view);
    const auto are_cut = [&](std::int64_t a, std::int64_t b) {
      return pairs.contains({static_cast<int>(std::min(a, b)), static_cast<int>(std::max(a, b))});
    };
    for (const auto a : kept)
      for (const auto b : kept)
        CHECK((a == b || !are_cut(a, b)));
    for (auto other = std::int64_t{1}; other <= 5; ++other)
      if (!kept.contains(other))
        CHECK(std::any_of(kept.begin(), kept.end(), [&](auto one) { return are_cut(one, other); }));
  }
}
