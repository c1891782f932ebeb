// What operators order of a host.
#include "kit/orders_fixture.hpp"

#include <algorithm>

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

TEST_CASE_METHOD(orders_fixture, "an order for a host that was never sent anything is refused",
                 "[remote_host][remote_host_orders]") {
  auto reply = actors.ask<operated_host>(
      hosts,
      operate_host{.host = delivery_world::address("stranger.example"), .wish = flush_wish{}});
  REQUIRE_FALSE(reply);
  CHECK(code_of(reply.error()) == errc::not_found);
}

TEST_CASE_METHOD(orders_fixture, "a flush cancels what waits, but for what takes something back",
                 "[remote_host][remote_host_orders]") {
  suspend();
  for (auto more = 0; more < 5; ++more)
    post(0, 0, 1 + more);
  post(0, 77, 1, log_kind::remove);
  const auto wish = must(order(flush_wish{}, true));
  CHECK(wish.units == 6);
  CHECK(wish.kept == 1);
  CHECK(wish.is_all);
  advance(1s);
  CHECK(far().waiting == 7); // a dry run changes nothing
  const auto before = count_sent();
  CHECK(reached(flush_wish{}) == 6);
  advance(3s);
  CHECK(far().waiting == 1);
  CHECK(count_sent() == before); // without a word to the host
  post();
  answer(202);
  CHECK_FALSE(tell(retry_host{address()}));
  advance(5s);
  const auto bodies = sent();
  CHECK(texts(bodies.begin() + static_cast<std::ptrdiff_t>(before), bodies.end()) ==
        texts{"post 7", "post 8"});
}

TEST_CASE("a flush reaches through the log, paused or not, and after a restart",
          "[remote_host][remote_host_orders]") {
  auto options = delivery_world_options{};
  options.host.refill_units = 10;
  options.host.counted_at_once = 20;
  auto here = orders_fixture{options};
  here.post();
  here.advance(1s);
  CHECK_FALSE(here.tell(pause_host{here.address()}));
  for (auto more = 0; more < 150; ++more)
    here.post(static_cast<std::size_t>(more % 3), 0, 1 + more % 7);
  CHECK(here.far().behind);
  CHECK(here.reached(flush_wish{}, true) == 150);
  CHECK(here.reached(flush_wish{}) == 150);
  if (GENERATE(false, true))
    here.restart();
  here.advance(10s);
  CHECK(here.far().waiting == 0);
  CHECK_FALSE(here.far().behind);
  CHECK(here.count_sent() == 1);
  CHECK(here.count("SELECT count(*) FROM host_backlog") == 0);
  here.post();
  CHECK_FALSE(here.tell(resume_host{here.address()}));
  here.advance(1s);
  CHECK(here.count_sent() == 2);
}

TEST_CASE_METHOD(orders_fixture, "a flush cancels exceptions as well",
                 "[remote_host][remote_host_orders]") {
  post();
  advance(1s);
  answer(404); // of a shared inbox
  post();
  advance(1s);
  REQUIRE(far().exceptions == 1);
  CHECK(reached(flush_wish{}) == 1);
  advance(2s);
  CHECK(far().exceptions == 0);
  CHECK(waiting().empty());
  CHECK(dead().empty());
}

TEST_CASE_METHOD(orders_fixture, "a drain delivers what waits and takes nothing new until resumed",
                 "[remote_host][remote_host_orders]") {
  suspend();
  post(0, 0, 2);
  CHECK(reached(drain_wish{}) == 2);
  post(0, 0, 3);
  post(0, 0, 4, log_kind::remove);
  advance(1s);
  restart();
  advance(1s);
  answer(202);
  const auto before = count_sent();
  CHECK_FALSE(tell(retry_host{address()}));
  advance(5s);
  post(0, 0, 5);
  advance(2s);
  auto bodies = sent();
  bodies.erase(bodies.begin(), bodies.begin() + static_cast<std::ptrdiff_t>(before));
  std::ranges::sort(bodies);
  CHECK(bodies == texts{"post 1", "post 2"});
  CHECK(far().waiting == 0);
  CHECK_FALSE(tell(resume_host{address()})); // lifts it
  post(0, 0, 6);
  advance(2s);
  CHECK(sent().back() == "post 6");
}

TEST_CASE_METHOD(orders_fixture, "a drain is stored although nobody was told of its end",
                 "[remote_host][remote_host_orders]") {
  post();
  advance(1s);
  must(order(drain_wish{}));
  // A resume whose answer was lost: the host knows nothing of it.
  must(storage.open_writer()->run("UPDATE host SET drained_upto = drained_after"));
  must(order(drain_wish{}));
  restart();
  advance(1s);
  post(0, 0, 2);
  advance(2s);
  CHECK(sent() == texts{"post 1"});
}

TEST_CASE_METHOD(orders_fixture, "a limit holds for requests that are signed again",
                 "[remote_host][remote_host_orders]") {
  answer({.status = 401, .after = 1s}); // a host that never took anything is tried both ways
  for (auto more = 0; more < 4; ++more)
    post(0, 0, 2 + more);
  REQUIRE(peers->in_flight() == 2);
  must(order(limit_wish{.in_flight = 1}));
  advance(1500ms); // each is signed in the other way
  CHECK(peers->in_flight() == 1);
}

TEST_CASE_METHOD(orders_fixture, "a limit bounds what is in flight",
                 "[remote_host][remote_host_orders]") {
  post();
  advance(1s);
  for (const auto& wrong : {limit_wish{.in_flight = 0}, limit_wish{.per_s = 0}})
    CHECK(code_of(order(wrong).error()) == errc::invalid);
  must(order(limit_wish{.in_flight = 1}));
  answer({.after = 1s});
  for (auto more = 0; more < 4; ++more)
    post(0, 0, 1 + more);
  CHECK(peers->in_flight() == 1);
  advance(1500ms);
  CHECK(peers->in_flight() == 1);
  restart();
  advance(500ms);
  CHECK(peers->in_flight() == 1);
  must(order(limit_wish{})); // nothing bounds it any more
  CHECK(peers->in_flight() == 2);
}

TEST_CASE_METHOD(orders_fixture, "a limit per second holds in the next life of a host",
                 "[remote_host][remote_host_orders]") {
  must(order(limit_wish{.per_s = 1}));
  advance(2s);
  post(0, 0, 1);
  advance(100ms);
  REQUIRE(count_sent() == 1);
  post(1, 0, 2);
  restart();
  advance(3s);
  const auto& requests = peers->requests();
  REQUIRE(requests.size() >= 2);
  for (auto next = std::size_t{1}; next < requests.size(); ++next)
    CHECK(requests[next].at - requests[next - 1].at >= 1s);
}

TEST_CASE_METHOD(orders_fixture, "a limit per second allows no burst",
                 "[remote_host][remote_host_orders]") {
  post();
  advance(1s);
  must(order(limit_wish{.per_s = 4}));
  for (auto more = 0; more < 20; ++more)
    post(static_cast<std::size_t>(more % 3), 0, 1 + more);
  advance(8s);
  auto times = std::vector<std::chrono::microseconds>{};
  for (const auto& request : peers->requests())
    times.push_back(request.at);
  REQUIRE(times.size() == 21);
  for (auto first = std::size_t{1}; first + 4 < times.size(); ++first)
    CHECK(times[first + 4] - times[first] >= 1s);
  CHECK(times[20] - times[1] <= 6s); // and no less than it allows
}

TEST_CASE("what came during a drain is cancelled, however much it is",
          "[remote_host][remote_host_orders]") {
  auto options = delivery_world_options{};
  options.dispatcher.books.acked_max = 8; // of which half may be listed as cancelled
  auto here = orders_fixture{options};
  here.suspend();
  CHECK(here.reached(drain_wish{}) == 1);
  constexpr auto many = 40;
  for (auto more = 0; more < many; ++more)
    here.post();
  here.advance(1h);
  CHECK(here.far().waiting > 1); // it is not looked at what comes after what waits
  here.answer(202);
  CHECK_FALSE(here.tell(resume_host{here.address()}));
  here.restart();
  here.post();
  here.advance(1min);
  auto kept = here.sent();
  kept.erase(std::ranges::remove(kept, "post 1").begin(), kept.end()); // with its probes
  CHECK(kept == texts{"post " + std::to_string(here.written)});
  CHECK(here.far().waiting == 0);
  CHECK(here.books().sums.are_balanced());
  const auto before = here.count_sent();
  CHECK(here.reached(replay_wish{.from_seq = 30}) == 13); // undoes it from its row on
  here.advance(1min);
  CHECK(here.count_sent() == before + 13);
}

TEST_CASE("what waits is listed by row, in pages", "[remote_host][remote_host_orders]") {
  auto options = delivery_world_options{};
  options.host.refill_units = 4;
  auto here = orders_fixture{options};
  here.post();
  here.advance(1s);
  here.answer(404);
  here.post(); // an exception
  here.advance(1s);
  here.answer(no_answer());
  for (auto more = 0; more < 12; ++more)
    here.post(0, 0, 1 + more % 2);
  const auto all = here.queue();
  CHECK(all.is_end);
  REQUIRE(all.items.size() == 13);
  CHECK(all.items[0].is_exception);
  CHECK(all.items[0].error == "status 404");
  CHECK(all.items[0].attempts == 1);
  CHECK(all.items[0].next_try_at);
  CHECK(all.items[1].in_flight);
  CHECK(all.items[1].inbox == "https://far.example/inbox");
  CHECK_FALSE(all.items[12].in_flight);
  auto seen = texts{};
  auto page = list_queue{.after = {}, .limit = 5};
  for (auto pages = 0; pages < 9; ++pages) {
    const auto next = here.queue(page);
    CHECK(next.items.size() <= 5);
    for (const auto& item : next.items)
      seen.push_back(std::to_string(item.unit.seq));
    if (next.is_end)
      break;
    page.after = next.items.back().unit;
  }
  CHECK(seen == here.listed());
}
