// What a host tells hooks: each try of a delivery, and each change of its state.
#include "kit/remote_host_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

namespace {

/// "1 failed far.example 503: status 503"
std::string text_of(const delivery_event& event) {
  constexpr auto words = std::to_array<std::string_view>({"delivered", "failed", "dead"});
  return std::to_string(event.seq) + " " +
         std::string{words[static_cast<std::size_t>(event.change)]} + " " + event.host + " " +
         std::to_string(event.status) + ": " + event.error;
}

texts texts_of(const std::vector<delivery_event>& events) {
  auto all = texts{};
  for (const auto& event : events)
    all.push_back(text_of(event));
  return all;
}

} // namespace

TEST_CASE_METHOD(remote_host_fixture, "what is delivered is told once, with its inbox",
                 "[remote_host][remote_host_events]") {
  post(1);
  advance(1s);
  REQUIRE(texts_of(deliveries) == texts{"1 delivered far.example 202: "});
  CHECK(deliveries[0].inbox == "https://far.example/1/inbox");
  CHECK(deliveries[0].at <= actors.now());
  CHECK(deliveries[0].at > actors.now() - 2s);
}

TEST_CASE_METHOD(remote_host_fixture, "each failed try is told, then the one that succeeds",
                 "[remote_host][remote_host_events]") {
  answer(503);
  post();
  advance(500ms);
  CHECK(texts_of(deliveries) == texts{"1 failed far.example 503: status 503"});
  advance(20s);
  const auto failed = deliveries.size();
  CHECK(failed == count_sent());
  answer(202);
  advance(1min);
  REQUIRE(deliveries.size() == failed + 1);
  CHECK(text_of(deliveries.back()) == "1 delivered far.example 202: ");
}

TEST_CASE_METHOD(remote_host_fixture, "a try without an answer has no status",
                 "[remote_host][remote_host_events]") {
  answer(kit::no_connection());
  post();
  advance(1s);
  REQUIRE_FALSE(deliveries.empty());
  CHECK(deliveries[0].change == delivery_change::failed);
  CHECK(deliveries[0].status == 0);
  CHECK_FALSE(deliveries[0].error.empty());
}

TEST_CASE_METHOD(remote_host_fixture,
                 "a dead letter is told once, and a second signature is no try",
                 "[remote_host][remote_host_events]") {
  answer(400);
  post();
  advance(1s);
  CHECK(count_sent() == 2);
  CHECK(texts_of(deliveries) == texts{"1 dead far.example 400: status 400"});
}

TEST_CASE_METHOD(remote_host_fixture, "a host that wants less has failed a try",
                 "[remote_host][remote_host_events]") {
  answer(429, {{"Retry-After", "5"}});
  post();
  advance(1s);
  REQUIRE(deliveries.size() == 1);
  CHECK(deliveries[0].change == delivery_change::failed);
  CHECK(deliveries[0].status == 429);
}

TEST_CASE_METHOD(remote_host_fixture, "an exception is told at each try, and when it is given up",
                 "[remote_host][remote_host_events]") {
  post(); // the host is proven
  advance(1s);
  answer(404); // of a shared inbox: it may be back soon
  deliveries.clear();
  post();
  advance(48h);
  REQUIRE(deliveries.size() == 7);
  for (auto i = std::size_t{0}; i < 6; ++i)
    CHECK(text_of(deliveries[i]) == "2 failed far.example 404: status 404");
  CHECK(text_of(deliveries[6]) == "2 dead far.example 404: status 404");
  CHECK(far().dead == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "changes of a host's state are told, its probes are not",
                 "[remote_host][remote_host_events]") {
  post();
  advance(1s);
  REQUIRE(states.size() == 1);
  CHECK(states[0].host == "far.example");
  CHECK(states[0].state == "healthy");
  answer(503);
  post();
  advance(20s); // some probes fail
  REQUIRE(states.size() == 2);
  CHECK(states[1].state == "suspended");
  CHECK(states[1].reason == "status 503");
  answer(202);
  advance(10min);
  REQUIRE(states.size() >= 3);
  for (const auto& each : states)
    CHECK(each.state != "probing");
  CHECK(states.back().state == "healthy");
  advance(1min);
  const auto known = states.size();
  restart();
  post();
  advance(2s);
  CHECK(states.size() == known); // it was read, and has not changed
}
