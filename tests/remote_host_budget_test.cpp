// The places of the node's budgets that the requests of hosts take.
#include "kit/remote_host_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

namespace {

std::string name_of(int number) {
  return "h" + std::to_string(number) + ".example";
}

/// Hosts h0.example to h(N-1).example, each followed by nobody; all answer as they are told.
struct many_hosts : delivery_world {
  std::vector<endpoint_id> inboxes;

  many_hosts(int count, delivery_world_options options) : delivery_world{std::move(options)} {
    for (auto number = 0; number < count; ++number)
      inboxes.push_back(add_host(name_of(number), 0)[0]);
  }

  void all_answer(const peer_answer& answer) {
    for (auto number = std::size_t{0}; number < inboxes.size(); ++number)
      peers->set_rule(name_of(static_cast<int>(number)),
                      [answer](const outgoing_request&) { return answer; });
  }

  /// One activity for each host.
  void post_to_all() {
    write({.text = "post " + std::to_string(++written), .object = written, .extra = inboxes});
    settle();
  }

  int written = 0;
};

} // namespace

TEST_CASE_METHOD(remote_host_fixture, "a request has a place of the kind that its host is of",
                 "[remote_host][remote_host_budget]") {
  answer({.after = 100ms});
  post();
  CHECK(budget->in_use(budget_kind::unproven) == 1);
  advance(1s);
  post();
  CHECK(budget->in_use(budget_kind::unproven) == 0);
  CHECK(budget->in_use(budget_kind::healthy) == 1);
  advance(1s);
  CHECK(budget->in_use(budget_kind::healthy) == 0);
  answer({.status = 503, .after = 100ms});
  post();
  advance(200ms); // failed once
  REQUIRE(peers->in_flight() == 0);
  for (auto waited = 0; peers->in_flight() == 0 && waited < 100; ++waited)
    advance(20ms);
  CHECK(budget->in_use(budget_kind::retry) == 1);
  CHECK(budget->in_use(budget_kind::healthy) == 0);
  advance(20s);
  REQUIRE(far().state == "suspended");
  CHECK(budget->in_use(budget_kind::retry) == 0);
  answer({.status = 503, .after = 5s});
  CHECK_FALSE(tell(retry_host{address()}));
  CHECK(budget->in_use(budget_kind::probe) == 1);
  advance(3s);
  CHECK(budget->in_use(budget_kind::probe) == 1); // keeps it to its end
  CHECK(budget->slow_in_use() == 0);
  advance(2s);
  CHECK(budget->in_use(budget_kind::probe) == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "a slow request gives its place to others",
                 "[remote_host][remote_host_budget]") {
  answer({.after = 9s});
  post();
  advance(200ms);
  CHECK(budget->in_use(budget_kind::unproven) == 1);
  advance(60ms); // 250 ms: nothing is known of the host's mean
  CHECK(budget->in_use(budget_kind::unproven) == 0);
  CHECK(budget->slow_in_use() == 1);
  CHECK(far().in_flight == 1); // goes on counting in its window
  advance(9s);
  CHECK(budget->slow_in_use() == 0);
  CHECK(far().delivered == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "slow is what takes four times the host's mean",
                 "[remote_host][remote_host_budget]") {
  answer({.after = 200ms});
  for (auto more = 0; more < 5; ++more) {
    post();
    advance(1s);
  }
  answer({.after = 5s});
  post();
  advance(700ms);
  CHECK(budget->slow_in_use() == 0);
  advance(110ms);
  CHECK(budget->slow_in_use() == 1);
}

TEST_CASE("who finds no place gets the next one", "[remote_host][remote_host_budget]") {
  auto options = delivery_world_options{};
  options.budget.unproven = 2;
  auto here = many_hosts{5, options};
  here.all_answer({.after = 100ms});
  here.post_to_all();
  CHECK(here.peers->in_flight() == 2);
  CHECK(here.budget->waiting(budget_kind::unproven) == 3);
  here.advance(1s);
  CHECK(here.peers->most_in_flight() == 2);
  for (auto number = 0; number < 5; ++number)
    CHECK(here.report(name_of(number)).delivered == 1);
}

TEST_CASE("black holes hold the slow places, and in the end only those of probes",
          "[remote_host][remote_host_budget]") {
  auto options = delivery_world_options{};
  options.budget = {.healthy = 20, .unproven = 20, .retry = 4, .probe = 4, .slow = 60};
  auto here = many_hosts{100, options};
  here.post_to_all();
  here.advance(5s); // all are healthy
  here.all_answer(no_answer());
  const auto good = here.add_host("good.example", 0)[0];
  here.write({.text = "hello", .object = 900, .extra = {good}});
  here.advance(1s);
  here.post_to_all();
  const auto begin = here.elapsed();
  auto most = std::size_t{0};
  auto slowest = std::chrono::microseconds{0};
  for (auto round = 0; round < 120; ++round) {
    const auto text = "news " + std::to_string(round);
    here.write({.text = text, .object = 1'000 + round, .extra = {good}});
    const auto known = here.report("good.example").delivered;
    auto waited = 0us;
    while (here.report("good.example").delivered == known && waited < 5s) {
      here.advance(100ms);
      waited += 100ms;
    }
    slowest = std::max(slowest, waited);
    here.advance(std::max<std::chrono::microseconds>(0us, 1s - waited));
    most = std::max(most, here.peers->in_flight());
  }
  CHECK(here.elapsed() - begin >= 2min);
  // Until the first of the slow ones are 2 s old, and those behind them 250 ms; looked at each 100
  // ms.
  CHECK(slowest <= 2s + 250ms + 100ms);
  CHECK(most <= 20 + 4 + 4 + 60 + 1);
  CHECK(here.peers->in_flight() <= 4);
  for (auto number = 0; number < 100; ++number) {
    const auto state = here.report(name_of(number)).state;
    CHECK((state == "suspended" || state == "probing"));
  }
}

TEST_CASE("a full slow budget ends its oldest request as a timeout",
          "[remote_host][remote_host_budget]") {
  auto options = delivery_world_options{};
  options.budget.slow = 1;
  auto here = many_hosts{2, options};
  here.all_answer(no_answer());
  here.peers->set_rule("h1.example", [](const outgoing_request&) { return peer_answer{}; });
  here.write({.text = "first", .object = 1, .extra = {here.inboxes[0]}});
  here.advance(1'900ms);
  CHECK(here.budget->slow_in_use() == 1);
  here.peers->set_rule("h1.example", [](const outgoing_request&) { return no_answer(); });
  here.write({.text = "second", .object = 2, .extra = {here.inboxes[1]}});
  here.advance(500ms); // it is slow after 250 ms: then the first is over 2 s old
  const auto ended = here.report("h0.example");
  CHECK(ended.failed == 1);
  REQUIRE_FALSE(ended.last_errors.empty());
  CHECK(ended.last_errors[0].text == "ended early");
  CHECK(here.report("h1.example").failed == 0);
}

TEST_CASE("what is newer than a request that was ended early waits until its limit",
          "[remote_host][remote_host_budget]") {
  auto options = delivery_world_options{};
  options.budget.slow = 1;
  auto here = many_hosts{2, options};
  here.peers->keep_requests();
  const auto about = [&here](const std::string& text, std::int64_t object, log_kind kind) {
    here.write({.text = text, .kind = kind, .object = object, .extra = {here.inboxes[0]}});
    here.settle();
  };
  about("first", 9, log_kind::create);
  here.advance(20s); // nothing of an earlier life
  here.all_answer(no_answer());
  about("made", 1, log_kind::create);
  here.advance(1'900ms);
  about("gone", 1, log_kind::remove);
  here.write({.text = "other", .object = 2, .extra = {here.inboxes[1]}});
  here.advance(500ms);
  REQUIRE(here.report("h0.example").last_errors.at(0).text == "ended early");
  here.all_answer({});
  about("next", 3, log_kind::create);
  here.advance(12s);
  const auto sent = here.peers->bodies("h0.example");
  CHECK(std::ranges::find(sent, "gone") == sent.end()); // the peer may be at work at it
  here.advance(10s);
  const auto all = here.peers->bodies("h0.example");
  CHECK(std::ranges::count(all, "gone") == 1);
  CHECK(std::ranges::count(all, "next") == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "a place that no longer fits is given back",
                 "[remote_host][remote_host_budget]") {
  const auto held = budget->take(budget_kind::unproven, "else.example", [](budget_place) {});
  auto all = std::vector<budget_place>{};
  while (auto more = budget->take(budget_kind::unproven, "h" + std::to_string(all.size()) + ".test",
                                  [](budget_place) {}))
    all.push_back(std::move(more));
  post(); // waits for a place
  CHECK(peers->in_flight() == 0);
  CHECK_FALSE(tell(pause_host{address()}));
  all.clear();
  settle();
  CHECK(budget->in_use(budget_kind::unproven) <= 1); // the host did not keep one
  CHECK(count_sent() == 0);
  CHECK_FALSE(tell(resume_host{address()}));
  CHECK(count_sent() == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "fetches draw on the same budgets",
                 "[remote_host][remote_host_budget]") {
  answer({.after = 100ms});
  const auto reply = fetch();
  CHECK(budget->in_use(budget_kind::unproven) == 1);
  advance(1s);
  CHECK(reply.ready());
  answer(503);
  post();
  advance(20s);
  REQUIRE(far().state == "suspended");
  answer({.after = 100ms});
  const auto later = fetch();
  CHECK(budget->in_use(budget_kind::retry) == 1); // of a withheld host
  advance(1s);
  CHECK(later.ready());
}
