// Hooks of whole engines: what they are told in a world, and one that never returns among threads.
#include "tests/kit/gate.hpp"
#include "tests/kit/local_network.hpp"
#include "tests/kit/running_engine.hpp"
#include "trunkline/testing.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using lines = std::vector<std::string>;

std::string word(post_change change) {
  return change == post_change::created  ? "created"
         : change == post_change::edited ? "edited"
                                         : "deleted";
}

/// An engine of a world, with a hook of each kind.
struct hooked_world {
  testing::world world;
  lines activities;
  lines posts;
  lines deliveries;
  lines states;
  std::vector<account_event> accounts;
  engine here;

  hooked_world() : here{must(world.start(parts()))} {}

  engine::builder parts() {
    auto made = kit::parts_in_memory("a.example");
    made.on_activity(
        [this](const activity_event& one) { activities.push_back(one.type + " " + one.actor); });
    made.on_post([this](const post_event& one) {
      posts.push_back(word(one.change) + " " + one.author + " " + one.content);
    });
    made.on_delivery([this](const delivery_event& one) {
      const auto is_taken = one.change == delivery_change::delivered;
      deliveries.push_back((is_taken ? "delivered " : "failed ") + one.host);
    });
    made.on_host_state(
        [this](const host_state_event& one) { states.push_back(one.host + " " + one.state); });
    made.on_account([this](const account_event& one) { accounts.push_back(one); });
    return made;
  }
};

/// Counts, and waits until there are enough.
struct shared_count {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t count = 0;

  void add() {
    const auto held = std::scoped_lock{mutex};
    ++count;
    changed.notify_all();
  }
  bool wait_for(std::size_t wanted) {
    auto held = std::unique_lock{mutex};
    return changed.wait_for(held, kit::engine_patience, [&] { return count >= wanted; });
  }
};

} // namespace

TEST_CASE("hooks hear of accounts, follows, posts, deliveries and hosts", "[engine_hooks]") {
  auto on = hooked_world{};
  const auto alice = must(on.here.create_account({.name = "alice"})).id;
  on.world.settle();
  REQUIRE(on.accounts.size() == 1);
  CHECK(on.accounts[0].change == account_change::created);
  CHECK(on.accounts[0].account == "alice");
  CHECK(on.accounts[0].id == alice);
  CHECK(on.accounts[0].seq > 0);

  auto& other = on.world.server("b.example");
  auto bob = other.actor("bob");
  CHECK(bob.follow("alice@a.example") == 202);
  on.world.advance(5s);
  CHECK(on.activities == lines{"Follow bob@b.example", "Accept alice"});
  CHECK(on.deliveries == lines{"delivered b.example"});
  CHECK(on.states == lines{"b.example healthy"});

  const auto post = must(on.here.post(alice, {.text = "hi"})).id;
  must(on.here.edit(alice, post, {.text = "ho"}));
  on.world.advance(5s);
  must(on.here.delete_post(alice, post));
  on.world.advance(5s);
  REQUIRE(on.posts.size() == 3);
  CHECK(on.posts[1] == "edited alice <p>ho</p>");
  CHECK(on.posts[2] == "deleted alice ");
  CHECK(on.deliveries.size() == 4);

  other.behave(testing::mood::fail);
  must(on.here.post(alice, {.text = "again"}));
  on.world.advance(5min);
  CHECK(on.deliveries.back() == "failed b.example");
  CHECK(on.states.back() == "b.example suspended");
  for (const auto& report : on.here.hooks()) {
    INFO(report.event);
    CHECK(report.called > 0);
    CHECK(report.dropped == 0);
    CHECK(report.waiting == 0);
  }
  const auto metrics = on.here.metrics_text();
  CHECK(metrics.find("trunkline_hook_calls_total{hook=\"2\",event=\"post\"} 4") !=
        std::string::npos);
}

TEST_CASE("a hook may call its engine", "[engine_hooks]") {
  auto world = testing::world{};
  auto here = std::shared_ptr<engine>{};
  auto parts = kit::parts_in_memory("a.example");
  auto boosts = 0;
  auto alice = std::string{};
  parts.on_post(
      [&](const post_event& one) { boosts += static_cast<bool>(here->boost(alice, one.id)); });
  here = std::make_shared<engine>(must(world.start(parts)));
  alice = must(here->create_account({.name = "alice"})).id;
  must(here->post(alice, {.text = "hi"}));
  world.settle();
  CHECK(boosts == 1);
}

TEST_CASE("a hook that never returns drops its events, and deliveries go on", "[engine_hooks]") {
  constexpr auto posts = std::size_t{20};
  const auto stuck = kit::gate{};
  const auto told = std::make_shared<shared_count>();
  const auto delivered = std::make_shared<shared_count>();
  const auto received = std::make_shared<shared_count>();
  const auto network = std::make_shared<kit::local_network>();
  auto b = kit::start_engine(
      kit::parts_in_memory("b.example")
          .transport(network)
          .on_activity("Create", [=](const activity_event&) { received->add(); }));
  {
    auto a = kit::start_engine(
        kit::parts_in_memory("a.example")
            .transport(network)
            .on_post([pass = stuck.passer()](const post_event&) { pass(); }, {.queue_max = 5})
            .on_post([=](const post_event&) { told->add(); })
            .on_delivery([=](const delivery_event& one) {
              if (one.change == delivery_change::delivered)
                delivered->add();
            }));
    network->connect("b.example", b);
    network->connect("a.example", a);
    const auto alice = must(a.create_account({.name = "alice"})).id;
    const auto bob = must(b.create_account({.name = "bob"})).id;
    must(b.follow(bob, "alice@a.example"));
    REQUIRE(delivered->wait_for(1)); // the Accept
    must(a.post(alice, {.text = "first"}));
    REQUIRE(stuck.wait_arrived());
    for (auto more = std::size_t{1}; more < posts; ++more)
      must(a.post(alice, {.text = "post " + std::to_string(more)}));
    CHECK(told->wait_for(posts));
    CHECK(delivered->wait_for(1 + posts));
    CHECK(received->wait_for(posts));
    const auto reports = a.hooks();
    CHECK(reports[0].event == "post");
    CHECK(reports[0].called == 1);
    CHECK(reports[0].waiting == 5);
    CHECK(reports[0].dropped == posts - 6);
    CHECK(reports[1].dropped == 0);
    CHECK(reports[2].event == "delivery");
    CHECK(reports[2].dropped == 0);
    network->disconnect("a.example");
    const auto began = std::chrono::steady_clock::now();
    { const auto ended = std::move(a); }
    CHECK(std::chrono::steady_clock::now() - began < 30s);
  }
  network->disconnect("b.example");
  stuck.open();
}
