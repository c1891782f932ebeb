// What the HTTP client is made of: its deadlines, and the URLs that it has read.

#include "net/deadlines.hpp"
#include "net/known_urls.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

struct named_waiter final : deadline_waiter {
  named_waiter(std::string own_name, std::vector<std::string>& told_to)
      : name{std::move(own_name)}, told{told_to} {}
  void on_deadline() override {
    told.push_back(name);
    if (then)
      then();
  }

  std::string name;
  std::vector<std::string>& told;
  std::function<void()> then;
};

struct line {
  boost::asio::io_context loop{1};
  deadlines limits{loop};
  std::vector<std::string> told;
  named_waiter a{"a", told};
  named_waiter b{"b", told};
  named_waiter c{"c", told};
  deadlines::time_point now = std::chrono::steady_clock::now();
};

using names = std::vector<std::string>;

known_urls::url_ptr url_of(const std::string& target) {
  return std::make_shared<const remote_url>(remote_url{.host = {}, .target = target, .text = {}});
}

} // namespace

TEST_CASE("deadlines come in their order, once", "[client][deadlines]") {
  auto one = line{};
  one.limits.set_at_most(one.a, one.now + 20ms);
  one.limits.set_at_most(one.b, one.now + 10ms); // earlier than what the timer waits for
  one.limits.set_at_most(one.c, one.now + 30ms);
  one.loop.run(); // ends: nothing is armed any more
  CHECK(one.told == names{"b", "a", "c"});
  CHECK(std::chrono::steady_clock::now() >= one.now + 30ms);
}

TEST_CASE("the earlier deadline of a waiter stands, and the timer is moved to it",
          "[client][deadlines]") {
  auto one = line{};
  one.limits.set_at_most(one.b, one.now + 1h); // which the timer waits for at first
  one.limits.set_at_most(one.a, one.now + 10ms);
  one.limits.set_at_most(one.a, one.now + 1h);
  one.limits.set_at_most(one.b, one.now + 20ms);
  one.loop.run_for(20s);
  CHECK(one.told == names{"a", "b"});
}

TEST_CASE("a dropped deadline does not come, and one may be set again", "[client][deadlines]") {
  auto one = line{};
  one.limits.set_at_most(one.a, one.now + 10ms);
  one.limits.set_at_most(one.b, one.now + 20ms);
  one.limits.drop(one.a);
  one.limits.drop(one.c); // has none
  one.b.then = [&] {
    one.b.then = {};
    one.limits.set_at_most(one.b, one.now + 30ms);
  };
  one.loop.run();
  CHECK(one.told == names{"b", "b"});
}

TEST_CASE("whoever is told may drop the others that are due", "[client][deadlines]") {
  auto one = line{};
  for (auto* waiter : {&one.a, &one.b, &one.c})
    one.limits.set_at_most(*waiter, one.now - 1ms);
  one.a.then = [&] {
    one.limits.drop(one.b);
    one.limits.drop(one.c);
    one.limits.set_at_most(one.c, one.now + 10ms);
  };
  one.loop.run();
  CHECK(one.told == names{"a", "c"});
}

TEST_CASE("stopped deadlines hold up no loop", "[client][deadlines]") {
  auto one = line{};
  one.limits.set_at_most(one.a, one.now + 1h);
  one.limits.stop();
  one.limits.set_at_most(one.b, one.now + 1h);
  one.loop.run();
  CHECK(one.told.empty());
}

TEST_CASE("URLs are remembered, the last ones at least", "[client]") {
  auto known = known_urls{3};
  for (const auto* text : {"a", "b", "c", "d"})
    known.keep(text, url_of(text));
  for (const auto* text : {"b", "c", "d"}) {
    REQUIRE(known.find(text));
    CHECK(known.find(text)->target == text);
  }
  CHECK(!known.find("e"));
  for (auto i = 0; i < 100; ++i)
    known.keep(std::to_string(i), url_of("x"));
  CHECK(!known.find("d"));
  auto count = 0;
  for (auto i = 0; i < 100; ++i)
    count += known.find(std::to_string(i)) ? 1 : 0;
  CHECK(count >= 3);
  CHECK(count <= 6);
}
