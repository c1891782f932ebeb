// Nodes that reach the database and not each other.

#include "tests/kit/lease_crowd.hpp"

#include <set>

using namespace std::chrono_literals;
using namespace trunkline;
using kit::away;
using kit::crowd;
using kit::member;
using kit::must;
using kit::with_crowds;

namespace {

/// Three of them, a week after their start: a serves.
struct trio {
  explicit trio(crowd& of) : world{of}, a{of.add("a")}, b{of.add("b")}, c{of.add("c")} {
    world.run(40s);
    REQUIRE(world.serves(a));
  }

  bool is_refused(const std::string& name) const {
    return must(read_cluster(world.inner)).find(name)->refused_since.has_value();
  }

  void heal() { a.unreachable = b.unreachable = c.unreachable = {}; }

  /// Runs for `time`; returns how many changes of owner there were.
  int changes_in(boot_clock::duration time) {
    auto changes = 0;
    auto last = owner();
    for (const auto end = world.now + time; world.now < end; world.run(100ms))
      if (auto now = owner(); now != last) {
        ++changes;
        last = now;
      }
    return changes;
  }

  std::string owner() const {
    const auto view = must(read_cluster(world.inner));
    const auto* serving = view.serving();
    return serving ? serving->name : "";
  }

  crowd& world;
  member& a;
  member& b;
  member& c;
};

} // namespace

TEST_CASE("an owner that is cut off from all others hands over, and its fence falls",
          "[cluster][keeper][F11]") {
  with_crowds([](crowd& world) {
    auto all = trio{world};
    const auto fence = all.a.keeper.status().fence();
    all.a.unreachable = {"b", "c"};
    all.b.unreachable = all.c.unreachable = {"a"};
    world.run(1s);
    CHECK(world.serves(all.a)); // nobody is refused for what passes
    const auto began = world.now;
    while (world.serves(all.a) && world.now < began + 20s)
      world.run(100ms);
    CHECK(world.now <= began + 4'600ms); // two renewals, and 1.6 s from when a view said so
    CHECK(all.a.phase() != lease_phase::serving);
    world.run(3s);
    CHECK((world.serves(all.b) || world.serves(all.c)));
    CHECK(all.is_refused("a"));
    CHECK_FALSE(world.inner.commit_batch(1, time_point{}, fence,
                                         [](database&) { return std::vector<log_draft>{}; }));
    CHECK(all.a.phase() == lease_phase::standing_by); // joined again, with another incarnation
    CHECK(all.a.keeper.status().incarnation == 2);
  });
}

TEST_CASE("who is refused gets no shards before it has reached the others for half a minute",
          "[cluster][keeper][F11]") {
  with_crowds([](crowd& world) {
    auto all = trio{world};
    all.a.unreachable = {"b", "c"};
    world.run(20s);
    REQUIRE(all.is_refused("a"));
    const auto served = all.owner();
    CHECK(served != "a");
    all.heal();
    world.run(25s);
    CHECK(all.is_refused("a"));
    all.a.unreachable = {"b"}; // for a moment: counted anew
    world.run(2s);
    all.heal();
    world.run(25s);
    CHECK(all.is_refused("a"));
    world.run(10s);
    CHECK_FALSE(all.is_refused("a"));
    CHECK(all.owner() == served);
  });
}

TEST_CASE("the last one left serves, refused or not", "[cluster][keeper][F05]") {
  with_crowds([](crowd& world) {
    auto all = trio{world};
    all.a.unreachable = {"b", "c"};
    world.run(20s);
    REQUIRE(all.is_refused("a"));
    all.b.is_still = all.c.is_still = true; // killed
    CHECK(world.until_serving(all.a) < 9s);
    world.run(5s);
    CHECK_FALSE(all.is_refused("a"));
    CHECK(world.serves(all.a));
  });
}

TEST_CASE("of two that are cut the owner stays", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto& a = world.add("a");
    auto& b = world.add("b");
    world.run(20s);
    a.unreachable = {"b"};
    b.unreachable = {"a"};
    world.run(60s);
    CHECK(world.serves(a));
    CHECK(must(read_cluster(world.inner)).find("b")->refused_since);
    a.is_still = true;
    CHECK(world.until_serving(b) < 9s);
  });
}

TEST_CASE("a cut between two that stand by changes no owner", "[cluster][keeper][F12]") {
  with_crowds([](crowd& world) {
    auto all = trio{world};
    all.b.unreachable = {"c"};
    CHECK(all.changes_in(60s) == 0);
    CHECK(all.is_refused("b") != all.is_refused("c"));
  });
}

TEST_CASE("lines that flap change the owner once in half a minute at most",
          "[cluster][keeper][F13]") {
  with_crowds([](crowd& world) {
    auto all = trio{world};
    auto changes = 0;
    for (auto i = 0; i < 12; ++i) { // two minutes
      all.a.unreachable = {"b", "c"};
      changes += all.changes_in(5s);
      all.heal();
      changes += all.changes_in(5s);
    }
    CHECK(changes <= 4);
    CHECK_FALSE(all.owner().empty());
  });
}

TEST_CASE("who steps aside serves no more before the database knows of it",
          "[cluster][keeper][F11]") {
  with_crowds([](crowd& world) {
    auto all = trio{world};
    all.a.unreachable = {"b", "c"};
    auto served_when_told = false;
    all.a.db.on_call = [&] {
      served_when_told |= all.owner() != "a" && world.serves(all.a);
      return caf::error{};
    };
    all.a.db.on_answer = [&]() -> caf::error { // the answer to every commit is lost
      return all.owner() == "a" ? caf::error{} : make_error(errc::commit_unknown, "lost");
    };
    const auto end = world.now + 20s;
    while (world.now < end && world.step_first(end))
      CHECK_FALSE((world.serves(all.a) && all.owner() != "a"));
    CHECK_FALSE(served_when_told);
    CHECK(all.owner() != "a");
  });
}

TEST_CASE("an owner without anybody to hand over to goes on", "[cluster][keeper]") {
  with_crowds([](crowd& world) {
    auto all = trio{world};
    all.a.unreachable = {"b", "c"};
    all.b.db.on_call = all.c.db.on_call = away; // they have no database
    world.run(60s);
    CHECK(world.serves(all.a));
    CHECK_FALSE(all.is_refused("a"));
  });
}
