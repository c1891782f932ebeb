// The places of requests to other servers: how many, and who is next.

#include "actors/delivery_budget.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto small = delivery_budget_limits{.healthy = 4,
                                              .unproven = 3,
                                              .retry = 2,
                                              .probe = 1,
                                              .slow = 4,
                                              .domain_fresh = 3,
                                              .domain_slow = 2};

std::string domain_of(std::size_t number) {
  return "d" + std::to_string(number) + ".example";
}

/// A budget, its clock, who holds a place by name, and in which order those who waited got theirs.
struct scene {
  explicit scene(delivery_budget_limits limits = small) : budget{limits, [this] { return now; }} {}
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;
  ~scene() { drop_all(); }

  /// Tells whether there was a place at once.
  bool take(const std::string& name, const std::string& domain,
            budget_kind kind = budget_kind::healthy) {
    auto place = budget.take(kind, domain, [this, name](budget_place given) {
      served.push_back(name);
      held[name] = std::move(given);
    });
    if (!place)
      return false;
    held[name] = std::move(place);
    return true;
  }

  /// Tells how long to wait before asking again; nothing: it has moved.
  std::optional<std::chrono::microseconds> ask_slow(const std::string& name,
                                                    std::chrono::microseconds patience = 2s) {
    return budget.slow_down(held.at(name), patience, [this, name] { ended.push_back(name); });
  }
  bool slow(const std::string& name) { return !ask_slow(name); }

  /// Whoever gets the place may be kept in turn: the map is left alone meanwhile.
  void drop(const std::string& name) { REQUIRE(!held.extract(name).empty()); }
  void drop_all() {
    while (!held.empty())
      held.extract(held.begin());
  }

  std::chrono::steady_clock::time_point now{1h};
  std::map<std::string, budget_place> held;
  std::vector<std::string> served;
  std::vector<std::string> ended;
  delivery_budget budget;
};

using names = std::vector<std::string>;

} // namespace

TEST_CASE("each budget has its own limit", "[budget]") {
  const auto [kind, most] = GENERATE(table<budget_kind, std::size_t>({{budget_kind::healthy, 4},
                                                                      {budget_kind::unproven, 3},
                                                                      {budget_kind::retry, 2},
                                                                      {budget_kind::probe, 1}}));
  CAPTURE(to_string(kind));
  auto one = scene{};
  for (auto i = std::size_t{0}; i < most; ++i)
    CHECK(one.take("h" + std::to_string(i), domain_of(i), kind));
  CHECK(!one.take("late", "late.example", kind));
  CHECK(one.budget.in_use(kind) == one.budget.limit(kind));
  CHECK(one.budget.waiting(kind) == 1);
  for (const auto other :
       {budget_kind::healthy, budget_kind::unproven, budget_kind::retry, budget_kind::probe})
    if (other != kind)
      CHECK(
          one.take(std::string{to_string(other)}, "other" + std::string{to_string(other)}, other));
  CHECK(one.served.empty());
  one.drop("h0");
  CHECK(one.served == names{"late"});
  CHECK(one.budget.waiting(kind) == 0);
  one.drop_all();
  CHECK(one.budget.in_use(kind) == 0);
  CHECK(one.budget.domains() == 0);
}

TEST_CASE("the limits are those of the design", "[budget]") {
  const auto budget = delivery_budget{};
  CHECK(budget.limit(budget_kind::healthy) == 640);
  CHECK(budget.limit(budget_kind::unproven) == 256);
  CHECK(budget.limit(budget_kind::retry) == 64);
  CHECK(budget.limit(budget_kind::probe) == 64);
}

TEST_CASE("places go to the domains in turn, then to hosts in the order of asking", "[budget]") {
  auto one = scene{};
  for (const auto* name : {"x1", "x2", "x3"})
    CHECK(one.take(name, "x.example"));
  CHECK(one.take("y1", "y.example"));
  // A domain with many names is there first, and gets every third place for it.
  for (const auto* name : {"a1", "a2", "a3"})
    CHECK(!one.take(name, "a.example"));
  for (const auto* name : {"b1", "b2"})
    CHECK(!one.take(name, "b.example"));
  CHECK(!one.take("c1", "c.example"));
  CHECK(one.budget.waiting(budget_kind::healthy) == 6);
  for (const auto* name : {"x1", "x2", "x3", "y1", "a1", "b1"})
    one.drop(name);
  CHECK(one.served == names{"a1", "b1", "c1", "a2", "b2", "a3"});
}

TEST_CASE("nobody overtakes those who wait", "[budget]") {
  auto one = scene{};
  for (auto i = std::size_t{0}; i < 4; ++i)
    CHECK(one.take("h" + std::to_string(i), domain_of(i)));
  CHECK(!one.take("first", "first.example"));
  one.drop("h0");
  CHECK(!one.take("second", "second.example"));
  CHECK(one.served == names{"first"});
}

TEST_CASE("a domain has its limit over all budgets, and holds up no other", "[budget]") {
  auto one = scene{};
  CHECK(one.take("a1", "a.example", budget_kind::healthy));
  CHECK(one.take("a2", "a.example", budget_kind::unproven));
  CHECK(one.take("a3", "a.example", budget_kind::retry));
  CHECK(!one.take("a4", "a.example", budget_kind::healthy));
  CHECK(!one.take("a5", "a.example", budget_kind::probe));
  CHECK(one.take("b1", "b.example", budget_kind::healthy));
  CHECK(one.take("b2", "b.example", budget_kind::probe));
  CHECK(!one.take("c1", "c.example", budget_kind::probe));
  one.drop("b2");
  CHECK(one.served == names{"c1"}); // the other one that waits for a probe may have none
  one.drop("a2");                   // room in the domain, and in a budget of its own
  CHECK(one.served == names{"c1", "a4"});
  one.drop("c1");
  CHECK(one.served == names{"c1", "a4"}); // the domain is full again
  one.drop("a1");
  CHECK(one.served == names{"c1", "a4", "a5"});
}

TEST_CASE("a domain that comes to its limit in line loses its turn until it has room", "[budget]") {
  auto one = scene{};
  CHECK(one.take("a1", "a.example"));
  CHECK(one.take("a2", "a.example"));
  CHECK(one.take("b1", "b.example"));
  CHECK(one.take("b2", "b.example"));
  CHECK(!one.take("a3", "a.example"));
  CHECK(!one.take("c1", "c.example"));
  CHECK(one.take("a4", "a.example", budget_kind::retry)); // now the domain is full
  one.drop("b1");
  CHECK(one.served == names{"c1"});
  one.drop("a4");
  CHECK(one.served == names{"c1"});
  one.drop("b2");
  CHECK(one.served == names{"c1", "a3"});
}

TEST_CASE("a slow request gives its fresh place to whoever waits", "[budget]") {
  auto one = scene{};
  for (auto i = std::size_t{0}; i < 4; ++i)
    CHECK(one.take("h" + std::to_string(i), domain_of(i)));
  CHECK(!one.take("next", "next.example"));
  CHECK(one.slow("h0"));
  CHECK(one.served == names{"next"});
  CHECK(one.budget.slow_in_use() == 1);
  CHECK(one.budget.in_use(budget_kind::healthy) == 4);
  CHECK(one.slow("h0")); // stays where it is
  CHECK(one.budget.slow_in_use() == 1);
  CHECK(!one.take("last", "last.example"));
  one.drop("h0"); // frees no fresh place
  CHECK(one.budget.slow_in_use() == 0);
  CHECK(one.served == names{"next"});
  one.drop("next");
  CHECK(one.served == names{"next", "last"});
  CHECK(one.ended.empty());
}

TEST_CASE("when the slow ones are full, the oldest whose patience is over is ended", "[budget]") {
  auto one = scene{};
  for (auto i = std::size_t{0}; i < 4; ++i) {
    CHECK(one.take("s" + std::to_string(i), domain_of(i)));
    one.now += 100ms;
  }
  // They became slow in another order than they began.
  for (const auto* name : {"s2", "s1", "s0", "s3"})
    CHECK(one.slow(name));
  for (const auto* name : {"n0", "n1", "n2", "n3"})
    CHECK(one.take(name, name));
  CHECK(!one.take("w1", "w.example"));
  CHECK(!one.take("w2", "w.example"));
  one.now = std::chrono::steady_clock::time_point{1h} + 1'999ms;
  CHECK(one.ask_slow("n0") == 20ms); // 1 ms is left, but who finds no room waits
  CHECK(one.ended.empty());
  CHECK(one.budget.in_use(budget_kind::healthy) == 4);
  one.now += 1ms; // s0 is old enough, the others are not
  CHECK(one.slow("n0"));
  CHECK(one.ended == names{"s0"});
  CHECK(!one.slow("n1"));
  CHECK(one.ended == names{"s0"});
  // Until the ended one is gone its place is not free: never more than the limits say.
  CHECK(one.budget.slow_in_use() == 4);
  CHECK(one.budget.in_use(budget_kind::healthy) == 4);
  CHECK(one.served.empty());
  CHECK(one.slow("s0")); // it was too late for that
  one.drop("s0");
  CHECK(one.served == names{"w1"});
  one.now += 100ms;
  CHECK(one.slow("n1"));
  CHECK(one.ended == names{"s0", "s1"});
  one.drop_all();
  CHECK(one.budget.slow_in_use() == 0);
  CHECK(one.budget.domains() == 0);
}

TEST_CASE("an ended one holds a place of whoever displaced it, of its budget and domain",
          "[budget]") {
  auto limits = small;
  limits.slow = 1;
  auto one = scene{limits};
  CHECK(one.take("old", "old.example", budget_kind::retry));
  CHECK(one.slow("old"));
  one.now += 2s;
  CHECK(one.take("new", "new.example", budget_kind::unproven));
  CHECK(one.slow("new"));
  CHECK(one.ended == names{"old"});
  CHECK(one.budget.in_use(budget_kind::retry) == 0);
  CHECK(one.budget.in_use(budget_kind::unproven) == 1);
  CHECK(one.budget.domains() == 1);
  for (const auto* name : {"n1", "n2"})
    CHECK(one.take(name, "new.example"));
  CHECK(!one.take("n3", "new.example")); // the ended one counts
  one.drop("new");
  CHECK(one.served.empty());
  one.drop("old");
  CHECK(one.served == names{"n3"});
  CHECK(one.budget.in_use(budget_kind::unproven) == 0);
}

TEST_CASE("a domain's share of the slow ones ends its own oldest and nobody else's", "[budget]") {
  auto one = scene{};
  CHECK(one.take("other", "other.example"));
  CHECK(one.slow("other"));
  one.now += 1s;
  for (const auto* name : {"a1", "a2", "a3"})
    CHECK(one.take(name, "a.example"));
  CHECK(one.slow("a1"));
  CHECK(one.slow("a2"));
  one.now += 1'500ms; // the stranger's is old enough, theirs are not
  CHECK(!one.slow("a3"));
  CHECK(one.budget.slow_in_use() == 3);
  one.now += 500ms;
  CHECK(one.slow("a3"));
  CHECK(one.ended == names{"a1"});
  CHECK(one.budget.slow_in_use() == 3);
}

TEST_CASE("who has less patience is ended before who is older", "[budget]") {
  auto limits = small;
  limits.slow = 2;
  auto one = scene{limits};
  CHECK(one.take("slow host", "slow.example"));
  one.now += 300ms;
  CHECK(one.take("fast host", "fast.example"));
  CHECK_FALSE(one.ask_slow("slow host", 2s));
  CHECK_FALSE(one.ask_slow("fast host", 1s));
  CHECK(one.take("new", "new.example"));
  CHECK(one.ask_slow("new") == 250ms);
  one.now += 900ms;
  CHECK(one.ask_slow("new") == 100ms);
  one.now += 100ms;
  CHECK(one.slow("new"));
  CHECK(one.ended == names{"fast host"});
}

TEST_CASE("probes never become slow", "[budget]") {
  auto one = scene{};
  CHECK(one.take("p", "p.example", budget_kind::probe));
  one.now += 10s;
  CHECK(!one.slow("p"));
  CHECK(one.budget.slow_in_use() == 0);
  CHECK(one.budget.in_use(budget_kind::probe) == 1);
}

TEST_CASE("a place is given back with its last copy", "[budget]") {
  auto one = scene{};
  CHECK(one.take("a", "a.example", budget_kind::probe));
  auto copy = one.held.at("a");
  one.drop("a");
  CHECK(one.budget.in_use(budget_kind::probe) == 1);
  copy.reset();
  CHECK(one.budget.in_use(budget_kind::probe) == 0);
}

TEST_CASE("places outlive the budget", "[budget]") {
  auto place = budget_place{};
  auto slow = budget_place{};
  {
    auto budget = delivery_budget{small};
    place = budget.take(budget_kind::retry, "a.example", {});
    slow = budget.take(budget_kind::retry, "a.example", {});
    CHECK_FALSE(budget.slow_down(slow, 2s, {}));
  }
  CHECK(place.use_count() == 1);
  slow.reset();
  place.reset();
}

TEST_CASE("those who are gone pass their place on at once", "[budget]") {
  auto limits = small;
  limits.probe = 1;
  auto one = scene{limits};
  auto passed = 0;
  CHECK(one.take("first", "first.example", budget_kind::probe));
  // Each lets its place go within the call: no stack may grow by that.
  for (auto i = 0; i < 100'000; ++i)
    CHECK(!one.budget.take(budget_kind::probe, domain_of(static_cast<std::size_t>(i % 100)),
                           [&passed](const budget_place&) { ++passed; }));
  CHECK(!one.take("last", "last.example", budget_kind::probe));
  one.drop("first");
  CHECK(one.served == names{"last"}); // after one host of each other domain
  CHECK(passed == 100);
  one.drop("last");
  CHECK(passed == 100'000);
}

TEST_CASE("ten thousand waiting names of one domain delay no other domain", "[budget]") {
  auto one = scene{{}};
  for (auto i = std::size_t{0}; i < 64; ++i)
    CHECK(one.take("many" + std::to_string(i), "many.example"));
  for (auto i = std::size_t{64}; i < 10'064; ++i)
    CHECK(!one.take("many" + std::to_string(i), "many.example"));
  CHECK(one.budget.in_use(budget_kind::healthy) == 64);
  // All the rest is there for others, and each goes on at its own pace.
  for (auto i = std::size_t{0}; i < 576; ++i)
    CHECK(one.take("h" + std::to_string(i), domain_of(i)));
  CHECK(!one.take("next", "next.example"));
  one.drop("h7");
  CHECK(one.served == names{"next"});
  one.drop("many3");
  CHECK(one.served == names{"next", "many64"});
  CHECK(!one.take("another", "another.example"));
  one.drop("many5"); // its domain had its turn: another one's comes first
  CHECK(one.served == names{"next", "many64", "another"});

  // A hundred thousand turns with all of them waiting: far too slow if each looked through them.
  const auto begun = std::chrono::steady_clock::now();
  for (auto i = 0; i < 100'000; ++i) {
    auto place = one.budget.take(budget_kind::retry, "quick.example", {});
    REQUIRE(place);
  }
  CHECK(std::chrono::steady_clock::now() - begun < 20s);
}

TEST_CASE("places are taken, slowed and given back on all threads", "[budget]") {
  constexpr auto threads_max = std::size_t{4};
  constexpr auto turns = 5'000;
  auto budget = delivery_budget{{.healthy = 3, .slow = 2, .domain_fresh = 2}};
  auto at_work = std::atomic<std::int64_t>{0};
  auto most = std::atomic<std::int64_t>{0};
  auto served = std::atomic<std::int64_t>{0};
  auto ended = std::atomic<std::int64_t>{0};
  const auto use = [&](budget_place place, bool is_slow) {
    const auto now = ++at_work;
    for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    if (is_slow)
      budget.slow_down(place, 0s, [&] { ++ended; });
    --at_work;
    place.reset();
    ++served;
  };
  {
    auto start = std::barrier{static_cast<std::ptrdiff_t>(threads_max)};
    auto threads = std::vector<std::jthread>{};
    for (auto number = std::size_t{0}; number < threads_max; ++number)
      threads.emplace_back([&, number] {
        start.arrive_and_wait();
        for (auto i = 0; i < turns; ++i) {
          const auto is_slow = i % 3 == 0;
          auto place =
              budget.take(budget_kind::healthy, domain_of(number % 2),
                          [&, is_slow](budget_place given) { use(std::move(given), is_slow); });
          if (place)
            use(std::move(place), is_slow);
        }
      });
  }
  CHECK(served == threads_max * turns);
  CHECK(most <= 5);
  CHECK(budget.in_use(budget_kind::healthy) == 0);
  CHECK(budget.slow_in_use() == 0);
  CHECK(budget.waiting(budget_kind::healthy) == 0);
  CHECK(budget.domains() == 0);
}
