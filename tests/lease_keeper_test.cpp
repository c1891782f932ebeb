#include "storage/lease_keeper.hpp"

#include "tests/kit/lease_crowd.hpp"

using namespace std::chrono_literals;
using namespace trunkline;
using kit::away;
using kit::crowd;
using kit::must;
using kit::with_crowds;

TEST_CASE("the first keeper serves, the next one stands by", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    CHECK(a.phase() == lease_phase::joining);
    CHECK_FALSE(world.serves(a));
    const auto began = world.now;
    a.keeper.step(a.db); // one thing at a time
    CHECK(a.phase() == lease_phase::serving);
    CHECK(a.keeper.status().held_until == began + 4s);
    CHECK(a.keeper.status().fence() == write_fence{1, 1});
    CHECK(must(read_cluster(a.db)).nodes.at(0).renewals == 1);
    auto& b = world.add("b");
    world.run(10s);
    CHECK(world.serves(a));
    CHECK(b.phase() == lease_phase::standing_by);
    CHECK(b.keeper.status().slot == 1);
    CHECK(b.keeper.status().view.serving()->name == "a");
    CHECK(a.keeper.status().held_until > world.now + 2s);
    const auto renewals = must(read_cluster(a.db)).nodes.at(0).renewals;
    world.run(15s);
    CHECK(must(read_cluster(a.db)).nodes.at(0).renewals == renewals + 10);
  });
}

TEST_CASE("a node acts for its host shards while it holds its lease, whether it serves or not",
          "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    CHECK_FALSE(a.keeper.status().is_member(world.now));
    world.run(10s);
    for (auto* one : {&a, &b}) {
      const auto& status = one->keeper.status();
      CHECK(status.is_member(status.held_until - 1ns));
      CHECK_FALSE(status.is_member(status.held_until));
    }
    CHECK_FALSE(world.serves(b));
    b.keeper.leave();
    CHECK_FALSE(b.keeper.status().is_member(world.now));
  });
}

TEST_CASE("a node that was taken over with host shards alone joins again", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    must(world.inner.run("UPDATE shard_owner SET node_id = 2 WHERE kind = 2"));
    b.is_still = true;
    world.run(10s);
    CHECK(must(read_cluster(a.db)).find("a")->shards() == shards_in_all);
    b.is_still = false;
    b.keeper.step(b.db);
    CHECK(b.phase() == lease_phase::joining);
    world.run(5s);
    CHECK(b.phase() == lease_phase::standing_by);
    CHECK(b.keeper.status().incarnation == 2);
  });
}

TEST_CASE("a lease is held for four seconds from when its renewal was sent", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    world.run(3s);
    const auto sent = a.due;
    a.db.on_call = [&] { // a slow answer
      world.now += 400ms;
      return caf::error{};
    };
    world.run(1600ms);
    a.db.on_call = {};
    CHECK(a.keeper.status().held_until == sent + 4s);
    a.db.on_call = away;
    world.run(4s);
    CHECK(a.phase() == lease_phase::serving); // what it may do is another question
    CHECK_FALSE(world.serves(a));
    CHECK(code_of(a.keeper.status().failure) == errc::unavailable);
    a.db.on_call = {};
    world.run(1500ms);
    CHECK(world.serves(a));
    CHECK_FALSE(a.keeper.status().failure);
    CHECK(a.keeper.status().incarnation == 1);
  });
}

TEST_CASE("a node that is gone is taken over half a second after its lease", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    const auto lease = must(read_cluster(a.db)).nodes.at(0).lease_until;
    a.is_still = true;
    const auto left = lease - must(read_cluster(a.db)).now;
    const auto took = world.until_serving(b);
    CHECK(took >= left + 500ms);
    CHECK(took <= left + 520ms);
    CHECK(must(read_cluster(b.db)).nodes.at(0).state == node_state::dead);
    world.run(4s);
    CHECK(world.serves(b));
  });
}

TEST_CASE("who has just come watches for the length of a lease before it takes over",
          "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    world.run(1s);
    a.is_still = true;
    world.run(60s); // the lease is long over
    auto& b = world.add("b");
    const auto took = world.until_serving(b);
    CHECK(took >= 6s);
    CHECK(took < 6100ms);
  });
}

TEST_CASE("a server that has changed is watched anew", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    a.is_still = true;
    world.run(5s);
    kit::set_test_server(world.inner, "second");
    const auto took = world.until_serving(b);
    CHECK(took >= 6s); // else it would be 1.5 s at most
    CHECK(took <= 7510ms);
  });
}

TEST_CASE("who was cut off watches anew, and nobody is deposed for an outage",
          "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    a.db.on_call = b.db.on_call = away;
    world.run(59s);
    CHECK_FALSE(world.serves(a));
    b.db.on_call = {}; // it finds a lease that is long over
    world.run(5900ms);
    a.db.on_call = {};
    world.run(2s);
    CHECK(world.serves(a));
    CHECK(a.keeper.status().incarnation == 1);
    CHECK(must(read_cluster(a.db)).nodes.at(0).state == node_state::live);
  });
}

TEST_CASE("an answer that fails between two that do not is no gap", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    a.is_still = true;
    auto failed = 0;
    b.db.on_call = [&] { return failed++ < 1 ? away() : caf::error{}; };
    CHECK(world.until_serving(b) <= 6510ms);
    CHECK(failed > 1);
  });
}

TEST_CASE("a server's clock that jumps ahead deposes nobody who renews", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    world.server_ahead += 1h;
    world.run(20s);
    CHECK(world.serves(a));
    CHECK(a.keeper.status().incarnation == 1);
    // And one that is gone must be seen unchanged for 4.5 s.
    a.is_still = true;
    world.run(200ms);
    world.server_ahead += 1h;
    const auto took = world.until_serving(b);
    CHECK(took >= 2800ms); // it was seen at the last renewal, 1.5 s before at most
    CHECK(took <= 4500ms);
  });
}

TEST_CASE("a server's clock that is set back delays a takeover by a lease at most",
          "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    a.is_still = true;
    world.run(1s);
    world.server_ahead -= 1h;
    CHECK(world.until_serving(b) <= 8s);
    // A process waits for another one's lease no longer either.
    b.is_still = true;
    world.run(1s);
    world.server_ahead -= 1h;
    auto& other = world.add("b", "another process");
    CHECK(world.until_serving(other) <= 6600ms);
  });
}

TEST_CASE("a node that was frozen finds out, and comes back to stand by", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    a.is_still = true;
    world.run(90s);
    CHECK(world.serves(b));
    CHECK_FALSE(world.serves(a)); // by its clock alone
    a.is_still = false;
    const auto due = a.keeper.step(a.db);
    CHECK(a.phase() == lease_phase::joining);
    CHECK(due == world.now); // at once
    a.keeper.step(a.db);
    CHECK(a.phase() == lease_phase::standing_by);
    CHECK(a.keeper.status().incarnation == 2);
    world.run(20s);
    CHECK(world.serves(b));
    CHECK_FALSE(world.serves(a));
  });
}

TEST_CASE("a second process waits, and the first one that finds it ends", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& first = world.add("a", "one");
    world.run(10s);
    auto& second = world.add("a", "two");
    world.run(30s);
    CHECK(second.phase() == lease_phase::joining);
    CHECK(second.keeper.status().waits_for == "one");
    CHECK(world.serves(first));
    first.is_still = true;
    CHECK(world.until_serving(second) <= 6600ms);
    CHECK(second.keeper.status().waits_for.empty());
    first.is_still = false;
    world.run(2s);
    CHECK(first.phase() == lease_phase::doubled);
    CHECK_FALSE(world.serves(first));
    CHECK(first.due == boot_time::max());
    CHECK(world.serves(second));
  });
}

TEST_CASE("a node that leaves lets go before it tells, and another serves at once",
          "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    a.keeper.leave();
    CHECK(a.phase() == lease_phase::leaving);
    CHECK(a.keeper.status().held_until < world.now);
    CHECK(must(read_cluster(a.db)).nodes.at(0).state == node_state::live);
    a.due = world.now;
    CHECK(world.until_serving(b) <= 1510ms);
    CHECK(a.phase() == lease_phase::left);
    CHECK(a.due == boot_time::max());
    CHECK(must(read_cluster(a.db)).nodes.at(0).state == node_state::left);
    auto& again = world.add("a", "another process");
    world.run(10s);
    CHECK(again.phase() == lease_phase::standing_by);
    CHECK(world.serves(b));
  });
}

TEST_CASE("a node that cannot tell that it leaves tries again", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    world.run(2s);
    a.db.on_call = away;
    a.keeper.leave();
    a.due = world.now;
    world.run(4s);
    CHECK(a.phase() == lease_phase::leaving);
    CHECK_FALSE(world.serves(a));
    a.db.on_call = {};
    world.run(1500ms);
    CHECK(a.phase() == lease_phase::left);
    auto& b = world.add("b");
    b.keeper.leave(); // was never in
    CHECK(b.phase() == lease_phase::left);
    CHECK(b.keeper.step(b.db) == boot_time::max());
    CHECK(must(read_cluster(b.db)).nodes.size() == 1);
  });
}

TEST_CASE("shards that are nobody's are given away at the next renewal", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    world.add("b");
    world.run(20s);
    must(world.inner.run("UPDATE shard_owner SET incarnation = 0"));
    world.run(1600ms);
    CHECK(must(read_cluster(a.db)).serving());
    CHECK(must(read_cluster(a.db)).free_shards() == 0);
  });
}

TEST_CASE("who is told to look renews early, unless it is not in", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a", "one");
    auto& b = world.add("a", "two");
    world.run(10s);
    world.run(100ms);
    const auto renewals = [&] { return must(read_cluster(a.db)).nodes.at(0).renewals; };
    const auto before = renewals();
    a.keeper.step(a.db);
    CHECK(renewals() == before);
    a.keeper.look();
    a.keeper.step(a.db);
    CHECK(renewals() == before + 1);
    const auto due = b.keeper.step(b.db);
    b.keeper.look();
    CHECK(b.keeper.step(b.db) == due);
  });
}

TEST_CASE("the phases of a keeper have the words of the admin API", "[keeper]") {
  CHECK(to_string(lease_phase::joining) == "joining");
  CHECK(to_string(lease_phase::standing_by) == "standing_by");
  CHECK(to_string(lease_phase::serving) == "serving");
  CHECK(to_string(lease_phase::leaving) == "leaving");
  CHECK(to_string(lease_phase::left) == "left");
  CHECK(to_string(lease_phase::doubled) == "doubled");
}
