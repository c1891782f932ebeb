// How a host does: what it asks for, what its exceptions wait for, and whose failure an outage is.
#include "kit/remote_host_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

namespace {

peer_answer item_fails(const outgoing_request& request, const std::string& body) {
  return {.status = request.body && *request.body == body ? 500 : 202};
}

} // namespace

TEST_CASE_METHOD(remote_host_fixture, "Retry-After holds, whatever else is answered meanwhile",
                 "[remote_host][remote_host_health]") {
  post();
  advance(1s);
  peers->set_rule("far.example", [](const outgoing_request& request) {
    if (request.body && *request.body == "post 2")
      return peer_answer{.status = 429, .headers = {{"Retry-After", "120"}}};
    return peer_answer{.after = 2s}; // taken after the host has said so
  });
  post(0, 0, 2);
  post(0, 0, 3);
  advance(3s);
  REQUIRE(far().delivered == 2);
  const auto before = count_sent();
  answer(202);
  post(0, 0, 4);
  advance(110s);
  CHECK(count_sent() == before);
  CHECK(far().next_try_at);
  if (GENERATE(false, true))
    restart(); // it outlives the actor
  advance(5s);
  CHECK(count_sent() == before);
  advance(10s);
  CHECK(count_sent() == before + 2);
}

TEST_CASE_METHOD(remote_host_fixture, "Retry-After of a probe holds for at most a day",
                 "[remote_host][remote_host_health]") {
  answer(no_connection());
  post();
  advance(20s);
  REQUIRE(far().state == "suspended");
  const auto status = GENERATE(429, 503);
  answer(status, {{"Retry-After", "864000"}}); // ten days
  CHECK_FALSE(tell(retry_host{address()}));
  const auto before = count_sent();
  answer(202);
  caf::anon_send(hosts, note_sign_of_life{address()}); // no reason to break the word
  advance(1h);
  CHECK(count_sent() == before);
  CHECK(far().next_try_at > actors.now() + 22h);
  advance(23h);
  CHECK(count_sent() == before + 1);
  CHECK(far().waiting == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "a host that is back is sent 1, 2, 4 at once",
                 "[remote_host][remote_host_health]") {
  answer(no_connection());
  post();
  advance(1h);
  REQUIRE(far().state == "suspended");
  for (auto more = 0; more < 30; ++more)
    post(static_cast<std::size_t>(more % 3), 0, 1 + more);
  answer({.after = 400ms});
  const auto before = peers->requests().size();
  caf::anon_send(hosts, note_sign_of_life{address()});
  settle();
  auto rounds = std::vector<std::size_t>{};
  for (auto round = 0; round < 5; ++round) {
    rounds.push_back(peers->in_flight());
    advance(400ms);
  }
  CHECK(rounds == std::vector<std::size_t>{1, 1, 2, 4, 8});
  CHECK(peers->requests()[before].at - peers->requests()[before - 1].at > 0s);
  CHECK(far().state == "healthy"); // its window is 8
}

TEST_CASE_METHOD(remote_host_fixture, "the clock of exceptions stands while the host is suspended",
                 "[remote_host][remote_host_health]") {
  peers->set_rule("far.example",
                  [](const outgoing_request& request) { return item_fails(request, "post 1"); });
  post();
  post(1, 0, 2);
  advance(3s);
  REQUIRE(far().exceptions == 1);
  answer(no_connection());
  post(1, 0, 2);
  advance(20min); // far beyond its 30 s
  REQUIRE(far().state == "suspended");
  peers->set_rule("far.example",
                  [](const outgoing_request& request) { return item_fails(request, "post 1"); });
  const auto before = count_sent();
  CHECK_FALSE(tell(retry_host{address()}));
  advance(2s);
  CHECK(sent().back() == "post 3");
  CHECK(count_sent() == before + 1); // the exception is not due yet
  advance(40s);
  CHECK(count_sent() == before + 2);
  advance(2s);
  CHECK(waiting() == texts{"1|status 500|2"});
}

TEST_CASE_METHOD(remote_host_fixture, "a pause stops the clocks of exceptions, dormant and dead",
                 "[remote_host][remote_host_health]") {
  answer(no_connection());
  post();
  advance(20s);
  REQUIRE(far().state == "suspended");
  CHECK_FALSE(tell(pause_host{address()}));
  if (GENERATE(false, true)) {
    advance(1s);
    restart();
    advance(1s);
  }
  actors.step_wall_clock(40 * 24h);
  const auto before = count_sent();
  CHECK_FALSE(tell(resume_host{address()})); // probes at once
  CHECK(count_sent() == before + 1);
  CHECK(far().state == "suspended"); // it has not failed for 40 days
  answer(202);
  CHECK_FALSE(tell(retry_host{address()}));
  CHECK(far().waiting == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "probes that meet nobody are no tries of an exception",
                 "[remote_host][remote_host_health]") {
  answer(500);
  post(0, 0, 1);
  post(0, 0, 2);
  advance(30s); // each has failed three times by itself
  REQUIRE(far().state == "suspended");
  answer(no_answer());
  advance(6h);
  CHECK(far().exceptions == 2);
  CHECK(dead().empty());
  auto attempts = std::set<std::string>{};
  for (const auto& each : waiting())
    attempts.insert(each.substr(each.rfind('|')));
  CHECK(attempts == std::set<std::string>{"|1"});
  auto probed = std::map<std::string, int>{};
  for (const auto& body : sent())
    ++probed[body];
  CHECK(std::abs(probed["post 1"] - probed["post 2"]) <= 4); // they take turns
  answer(202);
  CHECK_FALSE(tell(retry_host{address()}));
  advance(2min);
  CHECK(far().exceptions == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "what waits of a blocked host is cancelled, suspended or not",
                 "[remote_host][remote_host_health]") {
  if (GENERATE(false, true)) {
    answer(no_connection());
    post();
    advance(20s);
    REQUIRE(far().state == "suspended");
  } else {
    post();
    advance(1s);
    CHECK_FALSE(tell(pause_host{address()}));
  }
  for (auto more = 0; more < 100; ++more)
    post(0, 0, 1 + more);
  advance(1s);
  const auto before = count_sent();
  block("far.example");
  advance(3s);
  post();
  advance(10s);
  CHECK(count_sent() == before);
  CHECK(books().hosts_open == 0);
  CHECK(books().sums.are_balanced());
}

TEST_CASE("while our own network is out no streak grows", "[remote_host][remote_host_health]") {
  auto here = delivery_world{};
  const auto name = [](int number) { return "h" + std::to_string(number) + ".example"; };
  auto inboxes = std::vector<endpoint_id>{};
  for (auto number = 0; number < 40; ++number)
    inboxes.push_back(here.add_host(name(number), 0)[0]);
  auto written = 0;
  const auto post = [&](std::vector<endpoint_id> to) {
    const auto text = "post " + std::to_string(++written);
    here.write({.text = text, .object = written, .extra = std::move(to)});
    here.settle();
  };
  const auto answer = [&](const peer_answer& with) {
    for (auto number = 0; number < 40; ++number)
      here.peers->set_rule(name(number), [with](const outgoing_request&) { return with; });
  };
  post(inboxes);
  here.advance(2s);
  REQUIRE(here.report(name(39)).state == "healthy");
  answer(no_connection());
  here.advance(6s);
  post(inboxes);
  here.advance(5min);
  auto suspended = 0;
  for (auto number = 0; number < 40; ++number)
    suspended += here.report(name(number)).state == "suspended";
  CHECK(suspended == 0);
  const auto one = here.report(name(5));
  REQUIRE(one.next_try_at);
  CHECK(*one.next_try_at <= here.actors.now() + 2s);
  CHECK(one.next_try_reason.starts_with("our own network is out"));
  answer({});
  here.advance(3s);
  for (auto number = 0; number < 40; ++number)
    CHECK(here.report(name(number)).delivered == 2);
}

TEST_CASE("a silent host alone is its own fault", "[remote_host][remote_host_health]") {
  auto here = remote_host_fixture{};
  here.post();
  here.advance(2s);
  here.answer(no_connection());
  here.advance(6s);
  here.post();
  here.advance(20s);
  CHECK(here.far().state == "suspended");
}

TEST_CASE_METHOD(remote_host_fixture,
                 "a Delete alone is seen of a Create and an Update that failed",
                 "[remote_host][remote_host_health]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return peer_answer{.status = request.body && *request.body == "post 1" ? 500 : 202};
  });
  post(0, 7);
  post(1, 8, 2);
  advance(3s);
  REQUIRE(far().exceptions == 1);
  const auto before = count_sent();
  CHECK_FALSE(tell(pause_host{address()}));
  post(0, 7, 1, log_kind::update);
  post(0, 7, 1, log_kind::remove);
  peers->set_status("far.example", 202);
  CHECK_FALSE(tell(resume_host{address()}));
  advance(2min);
  const auto bodies = sent();
  CHECK(texts(bodies.begin() + static_cast<std::ptrdiff_t>(before), bodies.end()) ==
        texts{"post 4"});
  CHECK(books().sums.coalesced == 2);
  CHECK(books().sums.are_balanced());
}

TEST_CASE_METHOD(remote_host_fixture,
                 "a Delete replaces a Create that was out when the node was killed",
                 "[remote_host][remote_host_health]") {
  auto is_slow = false;
  peers->set_rule("far.example", [&is_slow](const outgoing_request& request) {
    const auto is_first = request.body && *request.body == "post 1";
    return peer_answer{.status = is_first ? 500 : 202, .after = is_first && is_slow ? 14s : 0s};
  });
  post(0, 7);
  post(1, 8, 2);
  advance(3s);
  REQUIRE(far().exceptions == 1);
  is_slow = true;
  const auto before = count_sent();
  for (auto second = 0; second < 60 && count_sent() == before; ++second)
    advance(1s);
  REQUIRE(sent().back() == "post 1"); // it is out
  post(0, 7, 1, log_kind::remove);
  advance(2s);
  REQUIRE(waiting().size() == 2);
  restart();
  peers->set_status("far.example", 202);
  const auto known = count_sent();
  advance(remote_host_options{}.request_limit - 1s);
  CHECK(count_sent() == known); // the peer may still be at work at it
  advance(5min);
  const auto bodies = sent();
  CHECK(texts(bodies.begin() + static_cast<std::ptrdiff_t>(known), bodies.end()) ==
        texts{"post 3"});
  CHECK(waiting().empty());
  CHECK(books().sums.are_balanced());
}

TEST_CASE_METHOD(remote_host_fixture,
                 "a second kill does not forget that a Delete replaced what may be out",
                 "[remote_host][remote_host_health]") {
  const auto fails = GENERATE(false, true);
  peers->set_status("far.example", fails ? 500 : 202);
  if (!fails)
    answer({.after = 14s});
  post(0, 7);
  post(1, 8, 2);
  advance(3s);
  CHECK_FALSE(tell(pause_host{address()}));
  post(0, 7, 1, log_kind::remove);
  advance(2s);
  restart();
  CHECK_FALSE(tell(resume_host{address()}));
  advance(2s); // the Delete has taken the place of the Create
  restart();
  peers->set_status("far.example", 202);
  const auto known = count_sent();
  advance(remote_host_options{}.request_limit - 1s);
  const auto all = sent();
  CHECK(std::find(all.begin() + static_cast<std::ptrdiff_t>(known), all.end(), "post 3") ==
        all.end());
  advance(5min);
  CHECK(sent().back() == "post 3");
  CHECK(books().sums.are_balanced());
}
