#include "engine/embedding/callback_worker.hpp"
#include "engine/testing/inner_world.hpp"
#include "engine/testing/world_server.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using testing::mood;

namespace {

std::shared_ptr<inner_world> world_of(std::uint64_t seed = 0) {
  return std::make_shared<inner_world>(seed);
}

/// An actor system that lives in a world.
struct inhabited {
  explicit inhabited(inner_world& around) : world{around} {
    config.set("scheduler.policy", caf::atom("testing"));
    system.emplace(config);
    system->await_actors_before_shutdown(false);
    world.enter(*system);
  }
  ~inhabited() { world.leave(*system); }

  inner_world& world;
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
};

/// Ticks every second for ever, and tells when.
caf::behavior ticking(caf::event_based_actor* self, inner_world* world,
                      std::vector<time_point>* ticks) {
  self->delayed_send(self, 1s, caf::tick_atom_v);
  return {[=](caf::tick_atom) {
    ticks->push_back(world->now());
    self->delayed_send(self, 1s, caf::tick_atom_v);
  }};
}

outgoing_request get_of(const std::string& url) {
  return {.url = url, .response_bytes_max = 1'000};
}

/// Asks from `from` and returns what came of it within a minute of the world.
exchange_outcome ask(inner_world& world, const std::string& from, const std::string& url) {
  auto got = std::optional<exchange_outcome>{};
  world.network().send(from, get_of(url),
                       [&](exchange_outcome outcome) { got = std::move(outcome); });
  CHECK_FALSE(got);
  REQUIRE(world.run_until([&] { return got.has_value(); }, 1min));
  return std::move(*got);
}

} // namespace

TEST_CASE("the clocks of all systems and the wall clock move together", "[inner_world]") {
  const auto world = world_of();
  auto one = inhabited{*world};
  world->advance(500ms);
  auto other = inhabited{*world};
  CHECK(one.system->clock().now() == other.system->clock().now());
  const auto began = world->now();
  auto ticks = std::vector<time_point>{};
  one.system->spawn(ticking, world.get(), &ticks);
  other.system->spawn(ticking, world.get(), &ticks);
  world->advance(2500ms);
  CHECK(ticks == std::vector<time_point>{began + 1s, began + 1s, began + 2s, began + 2s});
  CHECK(world->now() == began + 2500ms);
  CHECK(one.system->clock().now() == other.system->clock().now());
}

TEST_CASE("time that is waited for goes from timer to timer, and no further", "[inner_world]") {
  const auto world = world_of();
  const auto began = world->now();
  auto order = std::vector<int>{};
  world->after(3s, [&] { order.push_back(3); });
  world->after(1s, [&] { order.push_back(1); });
  world->after(2s, [&] {
    order.push_back(2);
    world->later([&] { order.push_back(20); });
  });
  CHECK(world->run_until([&] { return !order.empty() && order.back() == 20; }, 1min));
  CHECK(order == std::vector<int>{1, 2, 20});
  CHECK(world->now() == began + 2s);
  CHECK_FALSE(world->run_until([] { return false; }, 500ms));
  CHECK(world->now() == began + 2500ms);
}

TEST_CASE("a call may wait for others that come after it", "[inner_world]") {
  const auto seed = GENERATE(0U, 1U, 2U, 3U);
  const auto world = world_of(seed);
  auto answered = false;
  auto waited = false;
  world->later([&] {
    world->after(1s, [&] { answered = true; });
    waited = world->run_until([&] { return answered; }, 1min);
  });
  CHECK(world->settle());
  CHECK(waited);
}

TEST_CASE("callbacks of one worker never nest, though each moves the world", "[inner_world]") {
  const auto seed = GENERATE(0U, 1U, 2U);
  const auto world = world_of(seed);
  auto worker = callback_worker{10, world};
  auto depth = 0;
  auto deepest = 0;
  auto order = std::vector<int>{};
  for (auto number = 1; number <= 3; ++number)
    CHECK(worker.post([&, number] {
      deepest = std::max(deepest, ++depth);
      world->run_until([] { return false; }, 1s);
      order.push_back(number);
      --depth;
    }));
  CHECK(world->settle());
  CHECK(deepest == 1);
  CHECK(order == std::vector<int>{1, 2, 3});
  CHECK(worker.waiting() == 0);
}

TEST_CASE("what never ends is noticed", "[inner_world]") {
  const auto world = world_of();
  struct endless {
    inner_world* world;
    void operator()() const { world->later(*this); }
  };
  world->later(endless{world.get()});
  CHECK_FALSE(world->settle());
  CHECK_FALSE(world->run_until([] { return false; }, 1s));
}

TEST_CASE("a seed chooses the order, the same each time", "[inner_world]") {
  const auto order_of = [](std::uint64_t seed) {
    const auto world = world_of(seed);
    auto order = std::string{};
    for (auto letter = 'a'; letter <= 'p'; ++letter)
      world->later([&order, letter] { order += letter; });
    world->settle();
    return order;
  };
  CHECK(order_of(0) == "abcdefghijklmnop");
  CHECK(order_of(4) == order_of(4));
  CHECK(order_of(4) != order_of(0));
  CHECK(order_of(4) != order_of(5));
  CHECK(world_of(4)->chance() == world_of(4)->chance());
  CHECK(world_of(4)->chance() != world_of(5)->chance());
}

TEST_CASE("a world that is closed forgets what waits and takes no more", "[inner_world]") {
  const auto world = world_of();
  const auto held = std::make_shared<int>(0);
  world->later([held] {});
  world->after(1s, [held] {});
  world->close();
  CHECK(held.use_count() == 1);
  world->later([held] {});
  world->after(1s, [held] {});
  CHECK(held.use_count() == 1);
}

TEST_CASE("names lead to engines, then to servers, then nowhere", "[world_network]") {
  const auto world = world_of();
  auto there = world_server{*world, "b.example"};
  CHECK(ask(*world, "a.example", "https://b.example/none").response()->status == 404);
  world->attach("b.example", [](http_request request, http_reply reply) {
    CHECK(request.header("Host") == "b.example");
    CHECK(request.path == "/x");
    CHECK(request.query == "y=z");
    reply({.status = 200, .body = "an engine"});
  });
  CHECK(ask(*world, "a.example", "https://b.example/x?y=z").response()->body == "an engine");
  world->detach("b.example");
  CHECK(ask(*world, "a.example", "https://b.example/none").response()->status == 404);

  const auto nobody = ask(*world, "a.example", "https://c.example/");
  REQUIRE(nobody.failure());
  CHECK(nobody.failure()->phase == exchange_phase::name);
  CHECK(nobody.failure()->name_unknown);
  const auto own = ask(*world, "b.example", "https://b.example/");
  REQUIRE(own.failure());
  CHECK(own.failure()->phase == exchange_phase::refused);
}

TEST_CASE("each mood of a server has its answer", "[world_network]") {
  const auto world = world_of();
  auto there = world_server{*world, "b.example"};
  const auto in = [&](mood how) {
    there.mood = how;
    return ask(*world, "a.example", "https://b.example/");
  };
  CHECK(in(mood::fail).response()->status == 500);
  CHECK(in(mood::gone).response()->status == 410);
  const auto busy = in(mood::busy);
  CHECK(busy.response()->status == 429);
  CHECK(find_header(busy.response()->headers, "retry-after") == "60");
  CHECK(in(mood::vanish).failure()->name_unknown);
  CHECK(in(mood::refuse).failure()->phase == exchange_phase::connect);
  CHECK(there.requests == 3);
  const auto began = world->now();
  const auto stalled = in(mood::stall);
  CHECK(stalled.failure()->phase == exchange_phase::first_byte);
  CHECK(stalled.failure()->timed_out);
  CHECK(world->now() == began + 10s);
  CHECK(there.requests == 4);
}

TEST_CASE("a handler that forgets its reply answers 500, one that keeps it times out",
          "[world_network]") {
  const auto world = world_of();
  auto kept = http_reply{};
  world->attach("a.example", [&](http_request request, http_reply reply) {
    if (request.path == "/kept")
      kept = std::move(reply);
  });
  CHECK(ask(*world, "b.example", "https://a.example/lost").response()->status == 500);
  CHECK(ask(*world, "b.example", "https://a.example/kept").failure()->timed_out);
  kept({.status = 200}); // too late for anybody
  CHECK(world->settle());
}

TEST_CASE("a sender that was stopped ends what is under way", "[world_network]") {
  const auto world = world_of();
  auto there = world_server{*world, "b.example"};
  there.mood = mood::stall;
  const auto sender = world->sender("a.example");
  auto outcomes = std::vector<exchange_outcome>{};
  const auto keep = [&](exchange_outcome outcome) { outcomes.push_back(std::move(outcome)); };
  sender->send(get_of("https://b.example/"), keep);
  world->settle();
  CHECK(outcomes.empty());
  sender->stop();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes.front().failure()->phase == exchange_phase::refused);
  world->advance(20s);
  CHECK(outcomes.size() == 1);
}

TEST_CASE("servers of a world follow each other", "[world_server]") {
  const auto world = world_of(9);
  auto one = world_server{*world, "b.example"};
  auto other = world_server{*world, "c.example"};
  const auto bob = one.account("bob");
  const auto carol = other.account("carol");
  const auto uri = one.look_up(bob, "carol@c.example");
  CHECK(uri == carol->uri());
  CHECK(one.look_up(bob, "nobody@c.example").empty());
  CHECK(one.send(bob, to_json(bob->follow(uri)), "carol@c.example") == 202);
  REQUIRE(other.received.size() == 1);
  CHECK(other.received[0].type == "Follow");
  CHECK(other.received[0].object == carol->uri());
  CHECK(other.received[0].signature_ok);
  REQUIRE(one.received.size() == 1);
  CHECK(one.received[0].type == "Accept");
  CHECK(one.received[0].object_type == "Follow");
  CHECK(one.received[0].signature_ok);
  CHECK(bob->unfollow("https://nobody.example/").is_null());
  CHECK_FALSE(bob->unfollow(uri).is_null());
  CHECK(bob->unfollow(uri).is_null());
}

TEST_CASE("a signature by another key than the sender's is none", "[world_server]") {
  const auto world = world_of();
  auto one = world_server{*world, "b.example"};
  auto other = world_server{*world, "c.example"};
  const auto bob = one.account("bob");
  const auto carol = other.account("carol");
  const auto impostor = std::make_shared<world_account>("bob", "b.example");
  CHECK(one.send(impostor, to_json(impostor->follow(carol->uri())), "carol@c.example") == 401);
  REQUIRE(other.received.size() == 1);
  CHECK_FALSE(other.received[0].signature_ok);
  CHECK(one.received.empty());
  CHECK(one.send(bob, to_json(bob->follow(carol->uri())), "carol@c.example") == 202);
  CHECK(other.received[1].signature_ok);
  CHECK(one.received.size() == 1);
}
