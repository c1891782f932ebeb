#include "storage/cluster_store.hpp"

#include "tests/kit/cluster_fixture.hpp"
#include "tests/kit/failing_database.hpp"

using namespace std::chrono_literals;
using namespace trunkline;
using kit::must;

namespace {

using cluster = kit::cluster_fixture;
using lines = std::vector<std::string>;

template <class T>
caf::error error_of(const caf::expected<T>& result) {
  return result ? caf::error{} : result.error();
}

} // namespace

TEST_CASE("to read a cluster changes nothing", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    world.join("a");
    const auto before = kit::dump(world.inner);
    must(read_cluster(world.db));
    CHECK(kit::dump(world.inner) == before);
  });
}

TEST_CASE("a renewal gives a new lease and tells how things are", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto node = world.join("a");
    world.pass(1'500ms);
    const auto renewed = must(renew_lease(world.db, cluster::fence(node)));
    CHECK(renewed.answer == lease_answer::held);
    const auto& own = renewed.view.nodes.at(0);
    CHECK(own.lease_until == world.now + 6s);
    CHECK(own.tried_at == world.now);
    CHECK(own.renewals == 2);
    CHECK(own.report == "{}");
    CHECK(own.joined_at == world.now - 1'500ms);
    CHECK(renewed.view.now == world.now);
  });
}

TEST_CASE("what a node says of itself is told to all with its renewal", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    must(renew_lease(world.db, cluster::fence(a), {.report = R"({"version":"1"})"}));
    const auto seen = must(renew_lease(world.db, cluster::fence(b))).view;
    CHECK(seen.find("a")->report == R"({"version":"1"})");
    CHECK(seen.find("b")->report == "{}");
  });
}

TEST_CASE("a node that was deposed renews nothing", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    world.pass(7s);
    REQUIRE(world.take(b, a) == takeover::done);
    const auto before = kit::dump(world.inner);
    CHECK(world.renew(a) == lease_answer::dead);
    CHECK(world.renew({.id = 9, .incarnation = 1}) == lease_answer::dead);
    CHECK(kit::dump(world.inner) == before);
    const auto again = world.join("a");
    CHECK(world.renew(a) == lease_answer::raised);
    CHECK(world.renew(again) == lease_answer::held);
    CHECK_FALSE(again.serves);
  });
}

TEST_CASE("a takeover waits for the end of the lease", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    world.pass(6'499ms);
    CHECK(world.take(b, a) == takeover::not_due);
    CHECK(world.state(a) == node_state::live);
    world.pass(1ms);
    CHECK(world.take(b, a) == takeover::done);
    CHECK(world.state(a) == node_state::dead);
    CHECK(world.owners() == lines{"2|1|512"});
    CHECK_FALSE(world.may_commit(a));
    CHECK(world.may_commit(b));
    CHECK(world.take(b, a) == takeover::not_due);
  });
}

TEST_CASE("a takeover is for the lease that was seen and for no other", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    const auto seen = world.mark(a);
    world.pass(1s);
    REQUIRE(world.renew(a) == lease_answer::held);
    world.pass(7s);
    const auto taken = [&](const lease_mark& loser) {
      return must(take_over(world.db, cluster::fence(b), loser));
    };
    CHECK(taken(seen) == takeover::not_due);
    const auto again = world.join("a");
    world.pass(7s);
    CHECK(taken({a.id, a.incarnation, world.mark(a).renewals}) == takeover::not_due);
    CHECK(taken({9, 1, 1}) == takeover::not_due);
    CHECK(world.take(b, b) == takeover::not_due);
    CHECK(world.owners() == lines{"1|2|512"});
    CHECK(world.take(b, again) == takeover::done);
  });
}

TEST_CASE("a taker must be what it says", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    const auto c = world.join("c");
    world.pass(7s);
    const auto later = joined_node{.id = b.id, .incarnation = b.incarnation + 1};
    CHECK(world.take(later, a) == takeover::deposed);
    REQUIRE(world.take(c, b) == takeover::done);
    CHECK(world.take(b, a) == takeover::deposed);
    CHECK(world.owners() == lines{"1|1|512"});
  });
}

TEST_CASE("shards go to nodes that have renewed lately and want them", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b"); // belongs before c, by the hash of its name
    const auto c = world.join("c");
    const auto d = world.enter({.name = "d", .holder = "d", .weights = {.account = 0, .host = 2}});
    world.pass(7s);
    REQUIRE(world.renew(c) == lease_answer::held);
    REQUIRE(world.renew(d) == lease_answer::held);
    world.pass(3s);
    CHECK(world.take(b, a) == takeover::done);
    CHECK(world.owners(actor_kind::account) == lines{"3|1|256"});
    CHECK(world.are_hosts_placed_on({{"c", 1}, {"d", 2}}));
    CHECK(must(read_cluster(world.db)).hosts[9].moved_at == world.now);
    // Nobody is fresh now: the taker is there at least.
    world.pass(7s);
    CHECK(world.take(b, c) == takeover::done);
    CHECK(world.owners(actor_kind::account) == lines{"2|1|256"});
    CHECK(must(read_cluster(world.db)).find("d")->host_shards > 100);
    CHECK(must(read_cluster(world.db)).free_shards() == 0);
  });
}

TEST_CASE("who is left serves everything, whatever its weights", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    const auto none = node_weights{.account = 0, .host = 0};
    const auto c = world.enter({.name = "c", .holder = "c", .weights = none});
    world.pass(7s); // b is still a member, and may come back to itself
    CHECK(world.take(c, a) == takeover::done);
    CHECK(world.state(a) == node_state::dead);
    CHECK(must(read_cluster(world.db)).free_shards() == shards_in_all);
    CHECK_FALSE(must(give_free_shards(world.db, cluster::fence(c))));
    CHECK(world.take(c, b) == takeover::done);
    CHECK(must(give_free_shards(world.db, cluster::fence(c))));
    CHECK(world.owners() == lines{"3|1|512"});
    const auto again = world.enter({.name = "c", .holder = "c", .weights = none});
    CHECK(must(give_free_shards(world.db, cluster::fence(again))));
    CHECK(world.owners() == lines{"3|2|512"});
    CHECK(must(read_cluster(world.db)).serving()->name == "c");
  });
}

TEST_CASE("a server's clock that was set back does not keep a dead node alive", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    world.pass(-1h);
    CHECK(world.take(b, a) == takeover::done); // the mark tells, and the taker's own clock
    const auto c = world.join("c");
    CHECK(world.take(b, c) == takeover::not_due);
  });
}

TEST_CASE("shards of no living incarnation are given away", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    CHECK_FALSE(must(give_free_shards(world.db, cluster::fence(b))));
    const auto give = [&](const std::string& how) {
      must(world.db.run(how));
      CHECK(must(read_cluster(world.db)).free_shards() == shards_in_all);
      CHECK_FALSE(must(give_free_shards(world.db, {.node = b.id, .incarnation = 9})));
      CHECK(must(give_free_shards(world.db, cluster::fence(b))));
      CHECK(must(read_cluster(world.db)).free_shards() == 0);
    };
    give("DELETE FROM shard_owner");
    give("UPDATE shard_owner SET node_id = 7");
    give("UPDATE shard_owner SET node_id = 1, incarnation = 0");
    give("UPDATE shard_owner SET node_id = 2, incarnation = 0");
    must(world.db.run("UPDATE node SET state = 3 WHERE id = 1"));
    give("UPDATE shard_owner SET node_id = 1, incarnation = 1");
    CHECK(world.owners() == lines{"2|1|512"});
    CHECK(world.renew(a) == lease_answer::dead);
  });
}

TEST_CASE("who has a part of the account shards gets the rest", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    world.join("a");
    const auto b = world.join("b");
    must(world.db.run("UPDATE shard_owner SET node_id = 2 WHERE kind = 1 AND shard < 9"));
    must(world.db.run("DELETE FROM shard_owner WHERE kind = 1 AND shard > 8"));
    CHECK_FALSE(world.join("c").serves); // a part is nothing to it
    CHECK(must(give_free_shards(world.db, cluster::fence(b))));
    CHECK(world.owners() == lines{"1|1|256", "2|1|256"});
  });
}

TEST_CASE("each free host shard is given to the node where it belongs", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    world.enter({.name = "b", .holder = "b", .weights = {.account = 1, .host = 3}});
    world.join("c");
    must(world.db.run("UPDATE node SET refused_since = 1 WHERE id = 3"));
    must(world.db.run("UPDATE shard_owner SET incarnation = 0 WHERE kind = 2 AND shard < 200"));
    must(world.db.run("DELETE FROM shard_owner WHERE kind = 2 AND shard > 199"));
    CHECK(must(read_cluster(world.db)).free_host_shards == shard_count);
    CHECK(must(read_cluster(world.db)).free_account_shards == 0);
    CHECK(must(give_free_shards(world.db, cluster::fence(a))));
    CHECK(world.are_hosts_placed_on({{"a", 1}, {"b", 3}}));
    CHECK(world.owners(actor_kind::account) == lines{"1|1|256"});
  });
}

TEST_CASE("a node that owns host shards alone is taken over, steps aside and leaves as others do",
          "[cluster]") {
  const auto with_hosts_of_b = [](const std::function<void(cluster&, joined_node)>& body) {
    kit::on_both_clocked([&](cluster& world) {
      const auto a = world.join("a");
      const auto b = world.join("b");
      const auto c = world.join("c");
      must(world.db.run("UPDATE shard_owner SET node_id = 2 WHERE kind = 2"));
      world.pass(7s);
      REQUIRE(world.renew(a) == lease_answer::held);
      REQUIRE(world.renew(c) == lease_answer::held);
      body(world, b);
      CHECK(world.owners(actor_kind::account) == lines{"1|1|256"});
      CHECK(world.are_hosts_placed_on({{"a"}, {"c"}}));
      CHECK_FALSE(world.may_commit(b));
    });
  };
  with_hosts_of_b([](cluster& world, joined_node b) {
    CHECK(world.take({.id = 3, .incarnation = 1}, b) == takeover::done);
  });
  with_hosts_of_b([](cluster& world, joined_node b) {
    const auto left = must(leave_cluster(world.db, cluster::fence(b)));
    CHECK(left.was_member);
    CHECK_FALSE(left.successor);
  });
  with_hosts_of_b([](cluster& world, joined_node b) {
    must(renew_lease(world.db, cluster::fence(b), {.unreachable = {"a", "c"}}));
    CHECK(must(step_aside(world.db, cluster::fence(b))) == step_aside_answer::left);
    CHECK(must(find_node(world.db, b.id))->refused_since);
  });
}

TEST_CASE("a node steps aside only when each kind of its shards has somewhere to go", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    world.enter({.name = "b", .holder = "b", .weights = {.account = 1, .host = 0}});
    world.enter({.name = "c", .holder = "c", .weights = {.account = 1, .host = 0}});
    must(renew_lease(world.db, cluster::fence(a), {.unreachable = {"b", "c"}}));
    CHECK(must(step_aside(world.db, cluster::fence(a))) == step_aside_answer::not_due);
    must(world.db.run(R"(UPDATE node SET weights = '{"account":0,"host":1}' WHERE id > 1)"));
    CHECK(must(step_aside(world.db, cluster::fence(a))) == step_aside_answer::not_due);
    CHECK(world.owners() == lines{"1|1|512"});
    must(world.db.run(R"(UPDATE node SET weights = '{"account":1,"host":0}' WHERE id = 2)"));
    CHECK(must(step_aside(world.db, cluster::fence(a))) == step_aside_answer::left);
    CHECK(world.owners() == lines{"2|1|256", "3|1|256"});
  });
}

TEST_CASE("a node that steps aside gives nothing to one that is not kept either", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    world.join("c");
    world.join("d");
    must(renew_lease(world.db, cluster::fence(a), {.unreachable = {"b", "c", "d"}}));
    must(renew_lease(world.db, cluster::fence(b), {.unreachable = {"c", "d"}}));
    CHECK(must(step_aside(world.db, cluster::fence(a))) == step_aside_answer::left);
    CHECK(world.are_hosts_placed_on({{"c"}, {"d"}}));
    CHECK(world.owners().size() == 2);
  });
}

TEST_CASE("a node that leaves gives its shards away at once", "[cluster]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto b = world.join("b");
    const auto left = must(leave_cluster(world.db, cluster::fence(a)));
    CHECK(left.was_member);
    CHECK(left.successor == b.id);
    CHECK(world.state(a) == node_state::left);
    CHECK(must(find_node(world.db, a.id))->lease_until == world.now);
    CHECK(world.owners() == lines{"2|1|512"});
    CHECK_FALSE(world.may_commit(a));
    CHECK(world.renew(a) == lease_answer::dead);
    const auto before = kit::dump(world.inner);
    CHECK_FALSE(must(leave_cluster(world.db, cluster::fence(a))).was_member);
    CHECK(kit::dump(world.inner) == before);
  });
}

TEST_CASE("what a node leaves without a successor waits for whoever comes first", "[cluster]") {
  for (const std::string name : {"a", "c"})
    kit::on_both_clocked([&](cluster& world) {
      const auto a = world.join("a");
      world.join("b"); // stands by, but has not renewed lately
      world.pass(3'001ms);
      const auto left = must(leave_cluster(world.db, cluster::fence(a)));
      CHECK(left.was_member);
      CHECK_FALSE(left.successor);
      CHECK(world.owners() == lines{"1|1|512"});
      CHECK_FALSE(world.may_commit(a));
      const auto next = world.join(name);
      CHECK(next.serves);
      CHECK(world.may_commit(next));
    });
}

TEST_CASE("a batch needs a living incarnation, on both databases", "[cluster][fence]") {
  kit::on_both_clocked([](cluster& world) {
    const auto a = world.join("a");
    const auto set_state = [&](node_state state) {
      must(world.db.run("UPDATE node SET state = $1", {static_cast<int>(state)}));
    };
    CHECK(world.may_commit(a));
    set_state(node_state::leaving);
    CHECK(world.may_commit(a));
    const auto rows = [&] { return kit::rows_of(world.db.run("SELECT count(*) FROM log")); };
    for (const auto state : {node_state::dead, node_state::left}) {
      set_state(state);
      CHECK_FALSE(world.may_commit(a));
    }
    set_state(node_state::live);
    CHECK_FALSE(world.may_commit({.id = a.id, .incarnation = 2}));
    CHECK_FALSE(world.may_commit({.id = 2, .incarnation = 1}));
    CHECK(rows() == lines{"2"});
  });
}

TEST_CASE("a database tells its own time", "[cluster][clock]") {
  kit::on_both([](kit::test_database& fresh) {
    auto& db = fresh.db();
    const auto ask = [&] {
      return must(db.run("SELECT " + std::string{db.now_sql()} + ", " +
                         std::string{db.server_sql()}))
          .rows.at(0);
    };
    const auto first = ask();
    const auto ours =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    CHECK(std::chrono::abs(ours - first[0].time()) < 10s);
    CHECK(first[1].text().empty() == fresh.is_sqlite());
    auto later = ask(); // also within one transaction
    must(db.transact([&](database&) -> caf::error {
      const auto begun = ask()[0].time();
      while (later[0].time() <= begun)
        later = ask();
      return {};
    }));
    CHECK(later[0].time() > first[0].time());
    CHECK(later[1] == first[1]);
  });
}

TEST_CASE("operations of the cluster store fail as a whole", "[cluster][walk]") {
  kit::on_both_clocked([](cluster& world) {
    const auto walk = [&](const std::function<caf::error(database&)>& operation) {
      return kit::walk_every_n(world.db, operation);
    };
    walk([](database& open) { return error_of(join_cluster(open, {.name = "a"})); });
    walk([](database& open) { return error_of(join_cluster(open, {.name = "b"})); });
    walk([](database& open) { return error_of(renew_lease(open, {1, 1})); });
    walk([](database& open) { return error_of(read_cluster(open)); });
    world.pass(7s);
    const auto loser = world.mark({.id = 1});
    walk([&](database& open) { return error_of(take_over(open, {2, 1}, loser)); });
    must(world.db.run("DELETE FROM shard_owner WHERE shard = 3"));
    walk([](database& open) { return error_of(give_free_shards(open, {2, 1})); });
    walk([](database& open) { return error_of(join_cluster(open, {.name = "a"})); });
    walk([](database& open) { return error_of(leave_cluster(open, {2, 1})); });
    CHECK(world.owners() == lines{"1|2|512"});
  });
}
