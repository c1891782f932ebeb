// How nodes enter a cluster.

#include "storage/cluster_store.hpp"
#include "tests/kit/cluster_fixture.hpp"

using namespace std::chrono_literals;
using namespace trunkline;
using kit::must;

namespace {

using cluster = kit::cluster_fixture;
using lines = std::vector<std::string>;

} // namespace

TEST_CASE("the first node serves, the next ones stand by", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto empty = must(read_cluster(world.db));
    CHECK(empty.nodes.empty());
    CHECK(empty.now == world.now);
    CHECK(empty.free_shards() == shards_in_all);
    const auto first = world.join("a");
    CHECK(first.id == 1);
    CHECK(first.slot == 0);
    CHECK(first.incarnation == 1);
    CHECK(first.serves);
    const auto second = world.join("b");
    CHECK(second.id == 2);
    CHECK(second.slot == 1);
    CHECK_FALSE(second.serves);
    CHECK(world.owners() == lines{"1|1|512"});
    const auto view = must(read_cluster(world.db));
    REQUIRE(view.nodes.size() == 2);
    CHECK(view.serving() == &view.nodes[0]);
    CHECK(view.find("b") == &view.nodes[1]);
    CHECK(view.free_shards() == 0);
    CHECK(view.server == "first");
    CHECK(view.nodes[1].lease_until == world.now + 6s);
    CHECK(view.nodes[1].tried_at == world.now);
    CHECK(view.nodes[1].joined_at == world.now);
    CHECK(view.nodes[1].renewals == 1);
    CHECK(view.nodes[1].holder == "b");
  });
}

TEST_CASE("a node without a name is alone", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto alone = world.join("");
    CHECK(alone.id == 1);
    CHECK(alone.slot == 0);
    CHECK(alone.serves);
    CHECK(world.join("").incarnation == 2);
    world.join("b"); // the way to a cluster
  });
  kit::on_both_clocked([](cluster& world) {
    world.join("a");
    const auto before = kit::dump(world.inner);
    const auto refused = join_cluster(world.db, {});
    REQUIRE_FALSE(refused);
    CHECK(code_of(refused.error()) == errc::config_invalid);
    CHECK_THAT(context_of(refused.error()), Catch::Contains("cluster.node: is needed"));
    CHECK(kit::dump(world.inner) == before);
  });
}

TEST_CASE("a node that was alone before there were leases goes on", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    must(start_node(world.db, {.id = 1}));
    const auto alone = world.enter({.holder = "new"});
    CHECK(alone.id == 1);
    CHECK(alone.incarnation == 2);
    CHECK(alone.serves);
  });
}

TEST_CASE("a node waits for the lease of another process with its name", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto first = world.enter({.name = "a", .holder = "one"});
    world.pass(2s);
    const auto wait = world.wait({.name = "a", .holder = "two"});
    CHECK(wait.length == 4'500ms);
    CHECK(wait.holder == "one");
    CHECK(wait.lease == world.mark(first));
    world.pass(4'499ms);
    CHECK(world.wait({.name = "a", .holder = "two"}).length == 1ms);
    world.pass(1ms);
    const auto second = world.enter({.name = "a", .holder = "two"});
    CHECK(second.id == first.id);
    CHECK(second.slot == first.slot);
    CHECK(second.incarnation == 2);
    CHECK(second.serves);
    CHECK(world.owners() == lines{"1|2|512"});
    CHECK(world.renew(first) == lease_answer::raised);
    CHECK_FALSE(world.may_commit(first));
    CHECK(world.may_commit(second));
  });
}

TEST_CASE("a process that is certainly gone is not waited for", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    world.join("a");
    const auto again = world.join("a"); // the same holder
    CHECK(again.incarnation == 2);
    CHECK(again.serves);
    CHECK(world.owners() == lines{"1|2|512"});
    must(leave_cluster(world.db, cluster::fence(again)));
    CHECK(world.enter({.name = "a", .holder = "other"}).incarnation == 3);
  });
}

TEST_CASE("a lease from before the clock was set back is waited for as long as a new one",
          "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    world.enter({.name = "a", .holder = "one"});
    world.pass(-1h);
    auto wish = join_wish{.name = "a", .holder = "two"};
    const auto wait = world.wait(wish);
    CHECK(wait.length == 6'500ms);
    wish.waited_out = lease_mark{1, 1, 7}; // another lease
    CHECK(world.wait(wish).length == 6'500ms);
    wish.waited_out = wait.lease;
    CHECK(world.enter(wish).incarnation == 2);
    // One that is new counts, whatever was waited for.
    CHECK(world.wait({.name = "a", .holder = "one", .waited_out = lease_mark{1, 2, 2}}).length ==
          6'500ms);
  });
}

TEST_CASE("a node gets the smallest free slot, and advice when there is none", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    for (auto id = 1; id <= 256; ++id)
      if (id != 8)
        must(world.db.run("INSERT INTO node(id, slot, incarnation, address, weights, joined_at,"
                          " state, lease_until, name) VALUES ($1, $2, 1, '', '{}', 0, $3, 0, $4)",
                          {id, id - 1, id == 77 ? 3 : 1, "n" + std::to_string(id)}));
    const auto last = world.join("last");
    CHECK(last.id == 257);
    CHECK(last.slot == 7);
    const auto before = kit::dump(world.inner);
    const auto refused = join_cluster(world.db, {.name = "more"});
    REQUIRE_FALSE(refused);
    CHECK(code_of(refused.error()) == errc::config_invalid);
    CHECK_THAT(context_of(refused.error()), Catch::Contains("256") && Catch::Contains("\"n77\""));
    CHECK(kit::dump(world.inner) == before);
    CHECK(world.join("n77").slot == 76);
    CHECK_THAT(context_of(join_cluster(world.db, {.name = "more"}).error()),
               Catch::Contains("end one of the others first"));
  });
}

TEST_CASE("a node that comes first gets the shards that it has a weight for", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto no_hosts = node_weights{.account = 1, .host = 0};
    CHECK(world.enter({.name = "a", .holder = "a", .weights = no_hosts}).serves);
    CHECK(world.owners(actor_kind::account) == lines{"1|1|256"});
    CHECK(must(read_cluster(world.db)).free_host_shards == shard_count);
    CHECK_FALSE(world.join("b").serves);
    CHECK(world.owners() == lines{"1|1|256", "2|1|256"});
  });
  kit::on_both_clocked([](cluster& world) {
    const auto delivers = node_weights{.account = 0, .host = 1};
    CHECK_FALSE(world.enter({.name = "a", .holder = "a", .weights = delivers}).serves);
    CHECK(world.owners(actor_kind::host) == lines{"1|1|256"});
    CHECK(must(read_cluster(world.db)).free_account_shards == shard_count);
    CHECK(world.join("b").serves);
    CHECK(world.owners() == lines{"1|1|256", "2|1|256"});
  });
}

TEST_CASE("a node that comes back while others live gets the host shards that belong on it",
          "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    world.join("a");
    world.join("b");
    must(world.db.run("UPDATE shard_owner SET node_id = 2 WHERE kind = 2"));
    CHECK_FALSE(world.join("b").serves);
    const auto view = must(read_cluster(world.db));
    CHECK(world.owners(actor_kind::account) == lines{"1|1|256"});
    CHECK(view.find("b")->host_shards > 80);
    CHECK(view.find("a")->host_shards == 0);
    CHECK(view.find("b")->host_shards + view.free_host_shards == shard_count);
    for (auto shard = 0; shard < 256; ++shard) {
      const auto number = static_cast<std::uint8_t>(shard);
      const auto is_mine = preferred_node(actor_kind::host, number,
                                          std::vector<placement_candidate>{{"a"}, {"b"}}) == 1U;
      CHECK((view.host_owner(number) == view.find("b")) == is_mine);
    }
    // Nobody else has renewed lately: all are its own.
    world.pass(3'001ms);
    world.join("b");
    CHECK(must(read_cluster(world.db)).find("b")->host_shards == shard_count);
  });
}
