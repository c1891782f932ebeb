#include "storage/host_shards.hpp"

#include "storage/cluster_store.hpp"
#include "tests/kit/cluster_fixture.hpp"
#include "tests/kit/failing_database.hpp"

#include <algorithm>
#include <string>

using namespace std::chrono_literals;
using namespace trunkline;
using kit::must;

namespace {

using cluster = kit::cluster_fixture;
using lines = std::vector<std::string>;
using shard_list = std::vector<std::uint8_t>;

constexpr auto now = time_point{1'000'000s};

/// Nodes n1, n2, ... that have all renewed just now; the first one has all host shards for long.
cluster_view view_of(int count) {
  auto view = cluster_view{};
  view.now = now;
  for (auto id = 1; id <= count; ++id) {
    auto node = cluster_node{};
    node.id = id;
    node.name = "n" + std::to_string(id);
    node.incarnation = 10 + id;
    node.tried_at = now - 1s;
    view.nodes.push_back(std::move(node));
  }
  view.hosts.fill({.node = 1, .incarnation = 11, .moved_at = now - 30s});
  return view;
}

/// How many of the moves go to `node`.
auto count_to(const std::vector<host_shard_move>& moves, std::int64_t node) {
  return std::ranges::count(moves, node, &host_shard_move::to);
}

/// As a writer does, beside its fence.
caf::expected<shard_list> hand_on(cluster& world, const write_fence& giver,
                                  const std::vector<host_shard_move>& moves) {
  auto moved = shard_list{};
  const auto done = world.inner.commit_batch(
      ++world.batches, world.now, giver, [&](database&) -> caf::expected<std::vector<log_draft>> {
        auto handed = hand_on_host_shards(world.db, giver, moves);
        if (!handed)
          return std::move(handed.error());
        moved = std::move(*handed);
        return std::vector<log_draft>{};
      });
  if (!done)
    return done.error();
  return moved;
}

} // namespace

TEST_CASE("host shards that belong elsewhere are misplaced", "[host_shards]") {
  const auto view = view_of(3);
  const auto moves = misplaced_host_shards(view, 1);
  const auto names = std::vector<placement_candidate>{{"n1"}, {"n2"}, {"n3"}};
  auto expected = std::vector<host_shard_move>{};
  for (auto shard = 0; shard < 256; ++shard) {
    const auto number = static_cast<std::uint8_t>(shard);
    const auto to = static_cast<std::int64_t>(*preferred_node(actor_kind::host, number, names)) + 1;
    if (to != 1)
      expected.push_back({.shard = number, .to = to});
  }
  CHECK(moves == expected);
  CHECK(moves.size() > 120);
  CHECK(moves.size() < 220);
  CHECK(misplaced_host_shards(view, 2).empty()); // it has none
  CHECK(misplaced_host_shards(view, 9).empty());
  CHECK(misplaced_host_shards(view_of(1), 1).empty());
}

TEST_CASE("a host shard stays for half a minute after it came", "[host_shards]") {
  auto view = view_of(3);
  const auto all = misplaced_host_shards(view, 1);
  const auto one = all.at(3);
  view.hosts[one.shard].moved_at = now - 30s + 1us;
  const auto rest = misplaced_host_shards(view, 1);
  CHECK(rest.size() == all.size() - 1);
  CHECK(std::ranges::find(rest, one) == rest.end());
  view.hosts.fill({.node = 1, .incarnation = 11, .moved_at = now + 100ms});
  CHECK(misplaced_host_shards(view, 1).empty());
  // The clock was set back since: it would stay for hours.
  view.hosts.fill({.node = 1, .incarnation = 11, .moved_at = now + 101ms});
  CHECK(misplaced_host_shards(view, 1) == all);
}

TEST_CASE("a node that may keep no host shard gives all of them away at once", "[host_shards]") {
  auto view = view_of(3);
  view.hosts.fill({.node = 1, .incarnation = 11, .moved_at = now});
  auto& own = view.nodes[0];
  const auto gives_all = [&] {
    const auto moves = misplaced_host_shards(view, 1);
    return moves.size() == shard_count && count_to(moves, 2) > 80 && count_to(moves, 3) > 80;
  };
  own.state = node_state::leaving;
  CHECK(gives_all());
  own.state = node_state::live;
  CHECK(misplaced_host_shards(view, 1).empty());
  own.refused_since = now;
  CHECK(gives_all());
  own.refused_since.reset();
  own.weights = R"({"account":1,"host":0})";
  CHECK(gives_all());
  view.nodes[1].state = view.nodes[2].state = node_state::dead;
  CHECK(misplaced_host_shards(view, 1).empty());
}

TEST_CASE("a host shard belongs on nobody who may not receive it", "[host_shards]") {
  auto view = view_of(3);
  auto& other = view.nodes[1];
  const auto is_left_out = [&] { return count_to(misplaced_host_shards(view, 1), 2) == 0; };
  CHECK_FALSE(is_left_out());
  other.refused_since = now;
  CHECK(is_left_out());
  other.refused_since.reset();
  other.tried_at = now - 3'001ms;
  CHECK(is_left_out());
  other.tried_at = now;
  other.weights = R"({"account":1,"host":0})";
  CHECK(is_left_out());
  other.weights = "{}";
  other.state = node_state::leaving;
  CHECK(is_left_out());
}

TEST_CASE("what another incarnation of a node owns is not its own", "[host_shards]") {
  auto view = view_of(3);
  view.hosts.fill({.node = 1, .incarnation = 10, .moved_at = now - 1h});
  CHECK(misplaced_host_shards(view, 1).empty());
  CHECK_FALSE(view.host_owner(0));
  view.hosts.fill({.node = 1, .incarnation = 11, .moved_at = now - 1h});
  CHECK(view.host_owner(0) == &view.nodes[0]);
  view.nodes[0].state = node_state::left;
  CHECK_FALSE(view.host_owner(0));
  CHECK_FALSE(view_of(0).host_owner(0));
}

TEST_CASE("host shards are handed on in the writer's own batch", "[host_shards][cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    const auto c = world.join("c");
    world.pass(2s);
    const auto moved = hand_on(world, cluster::fence(a), {{7, c.id}, {255, b.id}, {0, b.id}});
    CHECK(must(moved) == shard_list{0, 7, 255});
    const auto view = must(read_cluster(world.db));
    CHECK(view.hosts[0] == shard_place{b.id, b.incarnation, world.now});
    CHECK(view.hosts[7] == shard_place{c.id, c.incarnation, world.now});
    CHECK(view.hosts[1] == shard_place{a.id, a.incarnation, world.now - 2s});
    CHECK(view.find("a")->host_shards == 253);
    CHECK(view.find("b")->host_shards == 2);
    CHECK(view.host_owner(7) == view.find("c"));
    CHECK(world.owners(actor_kind::account) == lines{"1|1|256"});
    CHECK(world.may_commit(a)); // what is under way with its other shards goes on
  });
}

TEST_CASE("a host shard that is not the giver's, or has no fit receiver, stays",
          "[host_shards][cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    CHECK(must(hand_on(world, cluster::fence(b), {{3, a.id}})).empty());
    CHECK(must(hand_on(world, cluster::fence(a), {{3, a.id}, {4, 9}, {5, b.id}})) == shard_list{5});
    CHECK(must(hand_on(world, cluster::fence(a), {{5, b.id}})).empty());
    CHECK(must(hand_on(world, cluster::fence(a), {})).empty());
    const auto stays = [&](const std::string& after) {
      must(world.db.run("UPDATE node SET " + after + " WHERE id = 2"));
      CHECK(must(hand_on(world, cluster::fence(a), {{6, b.id}})).empty());
    };
    stays("refused_since = 1");
    stays("refused_since = NULL, state = 2");
    stays(R"(state = 1, weights = '{"account":1,"host":0}')");
    stays("weights = '{}', tried_at = tried_at - 3000001");
    must(world.db.run("UPDATE node SET tried_at = tried_at + 1 WHERE id = 2"));
    CHECK(must(hand_on(world, cluster::fence(a), {{6, b.id}})) == shard_list{6});
  });
}

TEST_CASE("who may not write hands nothing on", "[host_shards][cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    const auto before = kit::dump(world.inner);
    const auto refused = [&](const write_fence& giver) {
      auto moved = caf::expected<shard_list>{shard_list{}};
      const auto failure = world.db.transact([&](database& open) -> caf::error {
        moved = hand_on_host_shards(open, giver, std::vector<host_shard_move>{{3, b.id}});
        return moved ? caf::error{} : moved.error();
      });
      return is_fence_refusal(failure);
    };
    CHECK(refused({.node = a.id, .incarnation = 2}));
    CHECK(refused({.node = 9, .incarnation = 1}));
    CHECK(kit::dump(world.inner) == before);
    must(world.db.run("UPDATE node SET state = 3 WHERE id = 1"));
    CHECK(refused(cluster::fence(a)));
  });
}

TEST_CASE("host shards are handed on as a whole", "[host_shards][cluster][walk]") {
  kit::on_both_clocked([](cluster& world) {
    world.join("a");
    world.join("b");
    world.join("c");
    const auto moves = std::vector<host_shard_move>{{1, 2}, {2, 3}};
    kit::walk_every_n(world.db, [&](database& open) {
      return open.transact([&](database& inner) -> caf::error {
        const auto moved = hand_on_host_shards(inner, {1, 1}, moves);
        return moved ? caf::error{} : moved.error();
      });
    });
    CHECK(world.owners(actor_kind::host) == lines{"1|1|254", "2|1|1", "3|1|1"});
  });
}
