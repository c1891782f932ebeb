// What operators order to be sent again: from the log, one by one, or dead letters.
#include "kit/orders_fixture.hpp"

#include <algorithm>

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

TEST_CASE_METHOD(orders_fixture, "a replay of one object sends its newest row again",
                 "[remote_host][remote_host_orders]") {
  store_post(7);
  post(0, 7);
  post(0, 7, 1, log_kind::update);
  post(1, 8);
  advance(2s);
  REQUIRE(count_sent() == 3);
  const auto about = replay_wish{.about = object_key{object_kind::post, 0, 7}};
  CHECK(reached(about, true) == 1);
  CHECK(count_sent() == 3);
  CHECK(reached(about) == 1);
  advance(2s);
  CHECK(count_sent() == 4);
  CHECK(sent().back() == "post 2");
  CHECK(far().exceptions == 0);
  CHECK(waiting().empty());
  CHECK(books().sums.are_balanced());
  const auto unknown = order(replay_wish{.about = object_key{object_kind::post, 0, 99}});
  REQUIRE_FALSE(unknown);
  CHECK(code_of(unknown.error()) == errc::not_found);
  CHECK(code_of(order(replay_wish{}).error()) == errc::invalid);
}

TEST_CASE("a replay from a row sends everything since then again, once",
          "[remote_host][remote_host_orders]") {
  auto options = delivery_world_options{};
  options.host.counted_at_once = 7;
  options.host.refill_units = 5;
  auto here = orders_fixture{options};
  here.advance(1s); // what is written from now on is of this life
  for (auto more = 0; more < 30; ++more)
    here.post(static_cast<std::size_t>(more % 3), 0, 1 + more % 4,
              more % 5 == 0 ? log_kind::update : log_kind::create);
  here.advance(10s);
  REQUIRE(here.count_sent() == 30);
  const auto wish = replay_wish{.from_seq = 11};
  CHECK(here.reached(wish, true) == 20);
  CHECK(here.count_sent() == 30);
  CHECK(here.reached(wish) == 20);
  if (GENERATE(false, true))
    here.restart();
  here.advance(20s);
  auto counts = std::map<std::string, int>{};
  for (const auto& body : here.sent())
    ++counts[body];
  for (auto number = 1; number <= 30; ++number) {
    CAPTURE(number);
    CHECK(counts["post " + std::to_string(number)] >= (number > 10 ? 2 : 1));
    if (number <= 10)
      CHECK(counts["post " + std::to_string(number)] == 1);
  }
  CHECK(here.far().waiting == 0);
  here.advance(2s);
  CHECK(here.books().hosts_open == 0);
  CHECK(here.books().sums.are_balanced());
  CHECK(here.books().sums.pending == 0);
}

TEST_CASE_METHOD(orders_fixture, "a replay sends what a drain has cancelled, and counts it",
                 "[remote_host][remote_host_orders]") {
  suspend();
  CHECK(reached(drain_wish{}) == 1);
  post();
  post();
  advance(2s);
  CHECK(books().sums.cancelled == 2);
  CHECK_FALSE(tell(resume_host{address()}));
  CHECK(reached(replay_wish{.from_seq = 1}) == 2); // the first one waits anyway
  answer(202);
  CHECK_FALSE(tell(retry_host{address()}));
  advance(20s);
  CHECK(std::ranges::count(sent(), "post 2") == 1);
  CHECK(std::ranges::count(sent(), "post 3") == 1);
  CHECK(books().sums.offered == 5);
  CHECK(books().sums.pending == 0);
  CHECK(books().sums.are_balanced());
}

TEST_CASE_METHOD(orders_fixture, "a replay leaves alone what waits by itself, to its end",
                 "[remote_host][remote_host_orders]") {
  post();
  advance(1s);
  answer(404); // of a shared inbox
  post(0, 0, 2);
  advance(28s);
  REQUIRE(far().exceptions == 1);
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return *request.body == "post 1" ? no_answer() : peer_answer{.status = 202};
  });
  CHECK(reached(replay_wish{.from_seq = 1}) == 1);
  advance(5s);
  REQUIRE(far().exceptions == 0);
  REQUIRE(far().waiting == 1); // which holds the mark of the host before both
  answer(202);
  restart();
  advance(20s);
  CHECK(std::ranges::count(sent(), "post 2") == 2); // refused, and taken once
  CHECK(books().sums == delivery_sums{.offered = 3, .delivered = 3});
}

TEST_CASE_METHOD(orders_fixture, "a replay from a time begins with the first row since",
                 "[remote_host][remote_host_orders]") {
  for (auto more = 0; more < 3; ++more)
    post(0, 0, 1 + more);
  advance(10s);
  const auto since = actors.now();
  advance(10s);
  for (auto more = 0; more < 2; ++more)
    post(0, 0, 4 + more);
  advance(2s);
  CHECK(reached(replay_wish{.from_time = since}) == 2);
  advance(2s);
  CHECK(count_sent() == 7);
  const auto later = order(replay_wish{.from_time = actors.now() + 1h});
  REQUIRE_FALSE(later);
  CHECK(code_of(later.error()) == errc::not_found);
}

TEST_CASE_METHOD(orders_fixture, "a replay undoes a flush from its row on",
                 "[remote_host][remote_host_orders]") {
  suspend();
  post(0, 0, 2);
  CHECK(reached(flush_wish{}) == 2);
  advance(2s);
  answer(202);
  CHECK(reached(replay_wish{.from_seq = 2}) == 1);
  CHECK_FALSE(tell(retry_host{address()}));
  advance(2s);
  CHECK(sent().back() == "post 2");
  CHECK(far().waiting == 0);
}

TEST_CASE_METHOD(orders_fixture, "one post is sent again that was flushed",
                 "[remote_host][remote_host_orders]") {
  store_post(7, 2);
  suspend();
  post(0, 7, 2);
  CHECK(reached(flush_wish{}) == 2);
  const auto about = replay_wish{.about = object_key{object_kind::post, 0, 7}};
  CHECK(reached(about) == 1);
  CHECK(far().exceptions == 1);
  restart(); // it is known to have been ordered
  CHECK(far().exceptions == 1);
  CHECK(reached(flush_wish{}) == 1); // a later flush holds for it
  advance(1s);
  CHECK(far().exceptions == 0);
  CHECK(reached(about) == 1);
  answer(202);
  CHECK_FALSE(tell(retry_host{address()}));
  advance(2s);
  CHECK(sent().back() == "post 2");
  CHECK(far().exceptions == 0);
  CHECK(far().waiting == 0);
  CHECK(books().sums.are_balanced());
}

TEST_CASE_METHOD(orders_fixture, "dead letters are sent again, or forgotten",
                 "[remote_host][remote_host_orders]") {
  post();
  advance(1s);
  answer(410);
  for (auto more = 0; more < 3; ++more)
    post(1, 0, 1 + more);
  advance(2s);
  REQUIRE(dead().size() == 3);
  CHECK(far().dead == 3);
  answer(202);
  const auto first = dead_letters_wish{.units = {{2, at[1]}}};
  CHECK(reached(first, true) == 1);
  CHECK(reached(first) == 1);
  advance(2s);
  CHECK(sent().back() == "post 2");
  CHECK(dead().size() == 2);
  CHECK(far().dead == 2);
  CHECK(code_of(order(first).error()) == errc::not_found);
  CHECK(reached(dead_letters_wish{.units = {{3, at[1]}}, .discard = true}) == 1);
  CHECK(dead() == texts{"4|status 410|1"});
  CHECK(reached(dead_letters_wish{}) == 1); // all of the host
  advance(2s);
  CHECK(dead().empty());
  CHECK(sent().back() == "post 4");
  CHECK(books().sums.are_balanced());
}

TEST_CASE_METHOD(orders_fixture, "a dead letter that was taken back since is not sent again",
                 "[remote_host][remote_host_orders]") {
  post();
  advance(1s);
  answer(410);
  post(1, 77);
  advance(2s);
  REQUIRE(dead().size() == 1);
  answer(202);
  post(1, 77, 1, log_kind::remove);
  advance(20s);
  const auto sent_before = count_sent();
  const auto came = must(order(dead_letters_wish{}));
  CHECK(came.units == 0);
  CHECK(came.kept == 1);
  advance(20s);
  CHECK(count_sent() == sent_before);
  CHECK(dead().size() == 1);
  CHECK(reached(dead_letters_wish{.discard = true}) == 1);
}
