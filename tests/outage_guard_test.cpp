// Whose network is down: ours or that of others.

#include "actors/outage_guard.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

struct watch {
  std::chrono::steady_clock::time_point now{1h};
  outage_guard guard{{}, [this] { return now; }};

  /// Hosts with these numbers fail, each of a domain of its own unless one is given.
  void fail(int from, int to, bool was_good = true, const std::string& domain = "") {
    for (auto i = from; i < to; ++i) {
      const auto name = "h" + std::to_string(i) + ".example";
      guard.note_failure({.scheme = "https", .name = name}, domain.empty() ? name : domain,
                         was_good);
    }
  }
};

} // namespace

TEST_CASE("while the node's lease is over it is us", "[outage][lease]") {
  const auto lease = std::make_shared<node_lease>();
  auto one = watch{};
  auto guard = outage_guard{{}, [&] { return one.now; }, lease};
  CHECK(guard.is_out());
  lease->hold_until(boot_clock::now() + 1h);
  CHECK_FALSE(guard.is_out());
  lease->end();
  CHECK(guard.is_out());
}

TEST_CASE("it is our network when nothing is answered and twenty good hosts failed", "[outage]") {
  auto one = watch{};
  CHECK(!one.guard.is_out());
  one.guard.note_success();
  one.fail(0, 19);
  one.now += 10s;
  CHECK(!one.guard.is_out());
  one.fail(0, 19); // the same ones again
  CHECK(!one.guard.is_out());
  one.fail(19, 20);
  CHECK(one.guard.is_out());
  one.fail(20, 1'000);
  CHECK(one.guard.is_out());
}

TEST_CASE("it takes five seconds without an answer", "[outage]") {
  auto one = watch{};
  one.now += 1min;
  one.guard.note_success();
  one.fail(0, 30);
  one.now += 4'999ms;
  CHECK(!one.guard.is_out());
  one.now += 1ms;
  CHECK(one.guard.is_out());
}

TEST_CASE("before the first answer the time counts from the start", "[outage]") {
  auto one = watch{};
  one.fail(0, 30);
  CHECK(!one.guard.is_out());
  one.now += 5s;
  CHECK(one.guard.is_out());
}

TEST_CASE("one answer from anywhere ends it, and what failed before is forgotten", "[outage]") {
  auto one = watch{};
  one.fail(0, 30);
  one.now += 5s;
  CHECK(one.guard.is_out());
  one.guard.note_success();
  CHECK(!one.guard.is_out());
  one.now += 10s;
  CHECK(!one.guard.is_out());
  one.fail(0, 19);
  CHECK(!one.guard.is_out());
  one.fail(40, 41);
  CHECK(one.guard.is_out());
}

TEST_CASE("hosts that did not do well before say nothing about our network", "[outage]") {
  auto one = watch{};
  one.fail(0, 100, false);
  one.now += 10s;
  CHECK(!one.guard.is_out());
  one.fail(100, 119);
  CHECK(!one.guard.is_out());
}

TEST_CASE("a domain with many names is one", "[outage]") {
  auto one = watch{};
  one.fail(0, 500, true, "many.example");
  one.now += 10s;
  CHECK(!one.guard.is_out());
  one.fail(500, 518);
  CHECK(!one.guard.is_out());
  one.fail(518, 519);
  CHECK(one.guard.is_out());
}

TEST_CASE("hosts and domains are counted apart", "[outage]") {
  auto now = std::chrono::steady_clock::time_point{1h};
  auto guard = outage_guard{{.hosts_least = 3, .domains_least = 2}, [&] { return now; }};
  now += 5s;
  guard.note_failure({.scheme = "https", .name = "a"}, "one", true);
  guard.note_failure({.scheme = "https", .name = "b"}, "two", true);
  CHECK(!guard.is_out());
  guard.note_failure({.scheme = "http", .name = "b", .port = 80}, "two", true); // another host
  CHECK(guard.is_out());
}

TEST_CASE("answers and failures are noted on all threads", "[outage]") {
  auto one = watch{};
  one.now += 5s;
  {
    auto threads = std::vector<std::jthread>{};
    for (auto number = 0; number < 4; ++number)
      threads.emplace_back([&one, number] {
        for (auto i = 0; i < 2'000; ++i) {
          if (i % 50 == 0)
            one.guard.note_success();
          one.fail(number * 10, number * 10 + 10);
          one.guard.is_out();
        }
      });
  }
  one.guard.note_success();
  one.now += 10s;
  CHECK(!one.guard.is_out());
  one.fail(0, 20);
  CHECK(one.guard.is_out());
}
