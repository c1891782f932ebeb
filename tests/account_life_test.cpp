// How an account actor starts, stops and refuses; what it does is in account_test.cpp.
#include "kit/account_world.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using namespace trunkline::kit;

TEST_CASE("an idle account is stopped and starts again where it was", "[account]") {
  with_world([](account_world& here) {
    const auto first = here.posted(alice, {.text = "a"});
    CHECK(here.runs(alice));
    here.actors.advance(119s);
    CHECK(here.runs(alice));
    here.actors.advance(2s);
    CHECK_FALSE(here.runs(alice));
    CHECK(here.counters->passivated == 1);
    CHECK(here.posted(alice, {.text = "b"}) > first);
  });
}

TEST_CASE("an account told to stop answers what it has begun", "[account]") {
  with_world([](account_world& here) {
    auto answers = std::vector<kit::pending_reply<post_id>>{};
    for (auto i = 0; i < 20; ++i) {
      answers.push_back(here.actors.start<post_id>(
          here.accounts, publish_post{alice, {.text = std::to_string(i)}, "", {}}));
      here.actors.settle_partly(3);
      here.passivate(alice);
    }
    here.actors.settle();
    for (const auto& answer : answers)
      CHECK(answer.get());
    CHECK(here.count("post") == 20);
    CHECK(here.counters->passivated > 0);
    CHECK(here.counters->crashes == 0);
  });
}

TEST_CASE("a killed account answers that nobody knows", "[account][F38]") {
  with_world([](account_world& here) {
    auto answer =
        here.actors.start<post_id>(here.accounts, publish_post{alice, {.text = "a"}, "key", {}});
    while (!here.runs(alice))
      here.actors.settle_partly(1);
    here.kill_account(alice);
    here.actors.settle();
    REQUIRE(answer.ready());
    CHECK(code(answer.get()) == errc::crashed);
    CHECK(here.posted(alice, {.text = "a"}, "key"));
    CHECK(here.count("post") == 1);
  });
}

TEST_CASE("more changes than in_flight_max are refused", "[account][P4]") {
  with_world(
      [](account_world& here) {
        auto answers = std::vector<kit::pending_reply<post_id>>{};
        auto refused = 0;
        here.actors.spawn([&](caf::event_based_actor* self) {
          for (auto i = 0; i < 50; ++i)
            self->request(here.accounts, caf::infinite,
                          publish_post{alice, {.text = std::to_string(i)}, "", {}})
                .then([](post_id) {},
                      [&](caf::error& why) { refused += code_of(why) == errc::unavailable; });
        });
        here.actors.settle();
        CHECK(refused > 0);
        CHECK(here.count("post") == 50 - refused);
      },
      {.account = {.in_flight_max = 4}});
}

TEST_CASE("no reserved id refuses the post and nothing else", "[account]") {
  with_world([](account_world& here) {
    here.posted(alice, {.text = "a"});
    here.actors.step_wall_clock(2h);
    CHECK(code(here.post(alice, {.text = "b"})) == errc::unavailable);
    here.actors.advance(2s);
    CHECK(here.post(alice, {.text = "c"}));
    CHECK(here.count("post") == 2);
  });
}

TEST_CASE("tickets come back with the answer", "[account][P4]") {
  with_world([](account_world& here) {
    auto office = ticket_office{1};
    auto answer = here.actors.start<post_id>(here.accounts,
                                             publish_post{alice, {.text = "a"}, "", office.take()});
    CHECK(office.take() == nullptr);
    here.actors.settle();
    CHECK(answer.get());
    CHECK(office.take() != nullptr);
    CHECK_FALSE(here.ask<post_id>(publish_post{alice, {.text = ""}, "", office.take()}));
    CHECK(office.in_use() == 0);
  });
}
