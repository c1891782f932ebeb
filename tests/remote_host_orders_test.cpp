// What operators order of a host.
#include "kit/remote_host_fixture.hpp"

#include <algorithm>

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

namespace {

struct orders_fixture : remote_host_fixture {
  using remote_host_fixture::remote_host_fixture;

  template <class Wish>
  caf::expected<operated_host> order(Wish wish, bool dry_run = false) {
    auto reply = actors.start<operated_host>(
        hosts, operate_host{.host = address(), .wish = std::move(wish), .dry_run = dry_run});
    for (auto waited = 0; waited < 200 && !reply.ready(); ++waited)
      advance(50ms);
    if (!reply.ready())
      return make_error(errc::timed_out, "no answer");
    return reply.get();
  }

  template <class Wish>
  std::int64_t reached(Wish wish, bool dry_run = false) {
    return must(order(std::move(wish), dry_run)).units;
  }

  void store_post(std::int64_t id, int author = 1) {
    must(
        storage.open_writer()->run("INSERT INTO post(id, author, uri, visibility, created_at, text)"
                                   " VALUES ($1, $2, 'x', 1, 0, '')",
                                   {id, author}));
  }

  void suspend() {
    answer(no_connection());
    post();
    advance(20s);
    REQUIRE(far().state == "suspended");
  }

  host_queue queue(list_queue wish = {}) {
    wish.host = address();
    return must(actors.ask<host_queue>(hosts, wish));
  }

  texts listed(list_queue wish = {}) {
    auto all = texts{};
    for (const auto& item : queue(wish).items)
      all.push_back(std::to_string(item.unit.seq));
    return all;
  }
};

} // namespace

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
