// Nodes of a cluster that meet in one PostgreSQL at the same moment.

#include "storage/cluster_store.hpp"
#include "storage/host_shards.hpp"
#include "tests/kit/postgres_batches.hpp"
#include "tests/kit/postgres_server.hpp"

#include <atomic>
#include <set>
#include <thread>

using namespace std::chrono_literals;
using namespace trunkline;
using namespace trunkline::kit;

namespace {

constexpr auto a = write_fence{.node = 1, .incarnation = 1};
constexpr auto b = write_fence{.node = 2, .incarnation = 1};

/// Two nodes, of which the first serves; their leases are over when the test says so.
struct race {
  race() {
    for (const auto* name : {"a", "b"})
      must(join_cluster(*db, {.name = name, .holder = name}));
  }

  void end_lease(std::int64_t node) {
    must(db->run("UPDATE node SET lease_until = 0, tried_at = 0 WHERE id = $1", {node}));
  }

  lease_mark mark(const write_fence& of) { return must(read_cluster(*db)).find(of.node)->mark(); }

  std::int64_t owner() {
    const auto rows = must(db->run("SELECT DISTINCT node_id FROM shard_owner WHERE kind = 1")).rows;
    REQUIRE(rows.size() == 1);
    return rows[0][0].integer();
  }

  /// Lets commits that name a setting take this long.
  void slow_down_commits() {
    must(db->run("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                 " PERFORM pg_advisory_xact_lock(1), pg_sleep(0.7); RETURN NULL; END $$"));
    must(db->run("CREATE CONSTRAINT TRIGGER late AFTER INSERT ON setting"
                 " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()"));
  }

  /// Asks the server again and again until `sql` gives a row.
  void wait_until(const std::string& sql) {
    constexpr auto asked_max = 100'000;
    for (auto asked = 0; rows_of(db->run(sql)).empty(); ++asked)
      REQUIRE(asked < asked_max);
  }
  void wait_until_commit_runs() {
    wait_until("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND granted");
  }
  void wait_until_somebody_waits() { wait_until("SELECT 1 FROM pg_locks WHERE NOT granted"); }

  std::string where = fresh_postgres_database();
  std::unique_ptr<database> db = opened(where);
  std::unique_ptr<database> second = opened(where);
  std::unique_ptr<database> third = opened(where);
};

} // namespace

TEST_CASE("a batch that is under way commits before its node is taken over",
          "[cluster][postgres]") {
  auto world = race{};
  world.slow_down_commits();
  const auto loser = world.mark(a);
  world.end_lease(a.node);
  auto receipt = caf::expected<commit_receipt>{errc::unavailable};
  auto writer = std::thread{[&] { receipt = commit(*world.second, 7, a); }};
  world.wait_until_commit_runs();
  CHECK(settings_in(*world.db).empty());
  const auto taken = take_over(*world.db, b, loser);
  const auto seen = settings_in(*world.db);
  writer.join();
  CHECK(must(taken) == takeover::done);
  CHECK(seen == std::vector<std::string>{"7"});
  CHECK(receipt);
  CHECK(world.owner() == b.node);
}

TEST_CASE("a batch that comes while its node is taken over writes nothing", "[cluster][postgres]") {
  auto world = race{};
  const auto loser = world.mark(a);
  world.end_lease(a.node);
  auto receipt = caf::expected<commit_receipt>{commit_receipt{}};
  auto writer = std::thread{};
  must(world.db->transact([&](database& open) -> caf::error {
    const auto taken = take_over(open, b, loser); // commits with this transaction
    CHECK((taken && *taken == takeover::done));
    writer = std::thread{[&] { receipt = commit(*world.second, 7, a); }};
    while (rows_of(world.third->run("SELECT 1 FROM pg_locks WHERE NOT granted")).empty()) {
    }
    return {};
  }));
  writer.join();
  REQUIRE_FALSE(receipt);
  CHECK(is_fence_refusal(receipt.error()));
  CHECK(settings_in(*world.db).empty());
  CHECK(rows_of(world.db->run("SELECT count(*) FROM log")) == std::vector<std::string>{"0"});
  CHECK(must(commit(*world.db, 8, b)).last == 1);
}

TEST_CASE("of two that take over one node at once one does", "[cluster][postgres]") {
  auto world = race{};
  must(join_cluster(*world.db, {.name = "c", .holder = "c"}));
  const auto loser = world.mark(a);
  world.end_lease(a.node);
  auto other = caf::expected<takeover>{errc::unavailable};
  auto taker = std::thread{};
  must(world.db->transact([&](database& open) -> caf::error {
    const auto taken = take_over(open, b, loser);
    CHECK((taken && *taken == takeover::done));
    taker = std::thread{[&] { other = take_over(*world.second, {3, 1}, loser); }};
    while (rows_of(world.third->run("SELECT 1 FROM pg_locks WHERE NOT granted")).empty()) {
    }
    return {};
  }));
  taker.join();
  CHECK(must(other) == takeover::not_due);
  CHECK(world.owner() != a.node);
}

TEST_CASE("of two nodes that take each other over one lives", "[cluster][postgres]") {
  for (auto round = 0; round < 10; ++round) {
    auto world = race{};
    const auto first = world.mark(a);
    const auto second = world.mark(b);
    world.end_lease(a.node);
    world.end_lease(b.node);
    auto of_b = caf::expected<takeover>{errc::unavailable};
    auto ready = std::atomic{0};
    auto meet = [&] {
      ++ready;
      while (ready < 2) {
      }
    };
    auto taker = std::thread{[&] {
      meet();
      of_b = take_over(*world.second, b, first);
    }};
    meet();
    const auto of_a = take_over(*world.db, a, second);
    taker.join();
    const auto outcomes = std::set{must(of_a), must(of_b)};
    CHECK(outcomes == std::set{takeover::done, takeover::deposed});
    CHECK(world.owner() == (must(of_a) == takeover::done ? a.node : b.node));
  }
}

TEST_CASE("a renewal does not wait for the batches of its node", "[cluster][postgres]") {
  auto world = race{};
  world.slow_down_commits();
  auto writer = std::thread{[&] { must(commit(*world.second, 7, a)); }};
  world.wait_until_commit_runs();
  const auto renewed = renew_lease(*world.db, a);
  const auto seen = settings_in(*world.db);
  writer.join();
  CHECK(must(renewed).answer == lease_answer::held);
  CHECK(seen.empty()); // it was still under way
}

TEST_CASE("a renewal does not wait for a takeover that its node is a receiver of",
          "[cluster][postgres]") {
  auto world = race{};
  const auto loser = world.mark(a);
  world.end_lease(a.node);
  must(world.third->run("SET lock_timeout = '500ms'"));
  must(world.db->transact([&](database& open) -> caf::error {
    CHECK(must(take_over(open, b, loser)) == takeover::done);
    CHECK(must(renew_lease(*world.third, b)).answer == lease_answer::held);
    return {};
  }));
}

TEST_CASE("a node leaves when its batches are done, and none comes after", "[cluster][postgres]") {
  auto world = race{};
  world.slow_down_commits();
  auto receipt = caf::expected<commit_receipt>{errc::unavailable};
  auto writer = std::thread{[&] { receipt = commit(*world.second, 7, a); }};
  world.wait_until_commit_runs();
  const auto left = leave_cluster(*world.db, a);
  const auto seen = settings_in(*world.db);
  writer.join();
  CHECK(must(left).successor == b.node);
  CHECK(receipt);
  CHECK(seen == std::vector<std::string>{"7"});
  CHECK(is_fence_refusal(commit(*world.db, 8, a).error()));
  CHECK(world.owner() == b.node);
}

TEST_CASE("a node that is given host shards leaves after the batch that gives them",
          "[cluster][postgres]") {
  auto world = race{};
  auto left = caf::expected<departure>{errc::unavailable};
  auto leaver = std::thread{};
  must(world.db->transact([&](database& open) -> caf::error {
    const auto moves = std::vector<host_shard_move>{{3, b.node}, {200, b.node}};
    CHECK(must(hand_on_host_shards(open, a, moves)) == std::vector<std::uint8_t>{3, 200});
    leaver = std::thread{[&] { left = leave_cluster(*world.second, b); }};
    world.wait_until_somebody_waits();
    return {};
  }));
  leaver.join();
  CHECK(must(left).was_member);
  const auto view = must(read_cluster(*world.db));
  CHECK(view.free_host_shards == 0);
  CHECK(view.find(a.node)->host_shards == shard_count);
}

TEST_CASE("a node is taken over after the batch with which it hands host shards on",
          "[cluster][postgres]") {
  auto world = race{};
  const auto loser = world.mark(a);
  world.end_lease(a.node);
  auto taken = caf::expected<takeover>{errc::unavailable};
  auto taker = std::thread{};
  must(world.db->transact([&](database& open) -> caf::error {
    const auto moves = std::vector<host_shard_move>{{3, b.node}};
    CHECK(must(hand_on_host_shards(open, a, moves)).size() == 1);
    CHECK(rows_of(world.third->run("SELECT id FROM node FOR UPDATE SKIP LOCKED")).empty());
    taker = std::thread{[&] { taken = take_over(*world.second, b, loser); }};
    world.wait_until_somebody_waits();
    return {};
  }));
  taker.join();
  CHECK(must(taken) == takeover::done);
  CHECK(must(read_cluster(*world.db)).find(b.node)->host_shards == shard_count);
}

TEST_CASE("a node starts anew when the batches of its former life are done",
          "[cluster][postgres]") {
  auto world = race{};
  world.slow_down_commits();
  auto writer = std::thread{[&] { must(commit(*world.second, 7, a)); }};
  world.wait_until_commit_runs();
  const auto joined = join_cluster(*world.db, {.name = "a", .holder = "a"});
  const auto seen = settings_in(*world.db);
  writer.join();
  CHECK(std::get<joined_node>(must(joined)).serves);
  CHECK(seen == std::vector<std::string>{"7"});
  CHECK(is_fence_refusal(commit(*world.db, 8, a).error()));
}

TEST_CASE("nodes that come at once get a place each, and one serves", "[cluster][postgres]") {
  const auto where = fresh_postgres_database();
  constexpr auto count = 4;
  auto connections = std::vector<std::unique_ptr<database>>{};
  auto answers = std::vector<caf::expected<join_answer>>(count, errc::unavailable);
  auto threads = std::vector<std::thread>{};
  for (auto at = 0; at < count; ++at)
    connections.push_back(opened(where));
  for (auto at = std::size_t{0}; at < count; ++at)
    threads.emplace_back([&, at] {
      const auto name = "n" + std::to_string(at / 2 * 2); // two processes of each name
      answers[at] = join_cluster(*connections[at], {.name = name, .holder = std::to_string(at)});
    });
  for (auto& thread : threads)
    thread.join();
  auto slots = std::set<int>{};
  auto serving = 0;
  auto waiting = 0;
  for (auto& answer : answers) {
    const auto& got = must(answer);
    const auto* node = std::get_if<joined_node>(&got);
    waiting += node == nullptr;
    serving += node && node->serves;
    if (node)
      slots.insert(node->slot);
  }
  CHECK(waiting == 2);
  CHECK(serving == 1);
  CHECK(slots == std::set{0, 1});
  CHECK(must(read_cluster(*connections[0])).serving());
}
