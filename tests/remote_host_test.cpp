#include "kit/remote_host_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

TEST_CASE_METHOD(remote_host_fixture, "what is taken is settled within a second, without a row",
                 "[remote_host]") {
  post(0);
  post(1);
  advance(1s);
  CHECK(count_sent() == 2);
  CHECK(far().state == "healthy");
  CHECK(far().delivered == 2);
  CHECK(far().waiting == 0);
  advance(2s);
  CHECK(books().hosts_open == 0);
  CHECK(count("SELECT count(*) FROM host_backlog") == 0);
  CHECK(count("SELECT count(*) FROM delivery_exception") == 0);
  CHECK(count("SELECT count(*) FROM shard_mark") == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "a stalled host holds at most its window", "[remote_host]") {
  answer(kit::no_answer());
  for (auto more = 0; more < 6; ++more)
    post(0, 0, 1 + more); // six lanes
  CHECK(peers->in_flight() == 2);
  CHECK(far().in_flight == 2);
  CHECK(far().waiting == 6);
  advance(10s); // both have ended
  CHECK(far().window == 1);
  CHECK(far().state == "unproven");
  advance(3s);
  CHECK(peers->in_flight() == 1); // one at a time while it fails
  advance(9s);
  CHECK(far().state == "suspended");
  CHECK(far().next_try_reason.find("no answer") != std::string::npos);
  CHECK(peers->most_in_flight() == 2);
}

TEST_CASE_METHOD(remote_host_fixture, "a suspended host sees one probe, and then all that waits",
                 "[remote_host]") {
  answer(503);
  for (auto more = 0; more < 5; ++more)
    post(0, 0, 1 + more);
  advance(8s);
  REQUIRE(far().state == "suspended");
  const auto before = count_sent();
  post(0, 0, 9);
  CHECK(count_sent() == before); // it is only counted
  advance(1s);
  CHECK(far().waiting == 6);
  CHECK(far().next_try_at);
  advance(30s);
  CHECK(count_sent() <= before + 5); // 2, 4, 8, 16 s, the shortest halved
  CHECK(peers->most_in_flight() == 2);
  answer(202);
  advance(40s);
  CHECK(far().state == "healthy");
  CHECK(far().waiting == 0);
  CHECK(far().delivered == 6);
  advance(2s);
  CHECK(count("SELECT count(*) FROM host_backlog") == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "a state outlives the actor", "[remote_host]") {
  answer(kit::no_connection());
  post();
  advance(15s);
  REQUIRE(far().state == "suspended");
  const auto next = far().next_try_at;
  advance(1s);
  restart();
  advance(100ms);
  CHECK(far().state == "suspended");
  CHECK(far().next_try_at == next);
  CHECK(far().waiting == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "an unproven host that refuses is asked once more, and known",
                 "[remote_host]") {
  const auto status = GENERATE(400, 401);
  peers->set_rule("far.example", [status](const outgoing_request& request) {
    const auto is_new = find_header(request.headers, "Signed") == "rfc9421";
    return kit::peer_answer{.status = is_new ? 202 : status};
  });
  post();
  advance(1s);
  CHECK(sent() == texts{"post 1", "post 1"});
  CHECK(signatures[signature_scheme::cavage] == 1);
  CHECK(far().delivered == 1);
  CHECK(far().dead == 0);
  post();
  advance(2s);
  CHECK(count_sent() == 3); // the first signature is the right one
  restart();
  post();
  advance(2s);
  CHECK(count_sent() == 4); // after a restart as well
  CHECK(signatures[signature_scheme::cavage] == 1);
}

TEST_CASE_METHOD(remote_host_fixture, "both kinds of signature are refused but once",
                 "[remote_host]") {
  answer(400);
  post();
  advance(1s);
  CHECK(count_sent() == 2);
  CHECK(far().dead == 1);
  advance(1s);
  CHECK(dead() == texts{"1|status 400|1"});
}

TEST_CASE_METHOD(remote_host_fixture, "F20: a personal inbox that is gone is a dead letter",
                 "[remote_host]") {
  post(); // the host is proven by its shared inbox
  advance(1s);
  const auto status = GENERATE(404, 410);
  answer(status);
  post(1);
  advance(2s);
  CHECK(dead() == texts{"2|status " + std::to_string(status) + "|1"});
  REQUIRE(missing.size() == 1); // the actor is looked up again
  CHECK(missing[0].endpoint.id == at[1]);
  CHECK_FALSE(missing[0].endpoint.shared);
  CHECK(missing[0].status == status);
  CHECK(far().state == "healthy");
  CHECK(books().hosts_open == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "F20: a shared inbox that is gone is tried again",
                 "[remote_host]") {
  post();
  advance(1s);
  answer(410);
  post();
  advance(2s);
  CHECK(waiting() == texts{"2|status 410|1"});
  CHECK(missing.at(0).endpoint.shared);
  CHECK(far().state == "healthy"); // one 410 never suspends a host
  answer(202);
  advance(30s);
  CHECK(far().exceptions == 0);
  advance(2s);
  CHECK(waiting().empty());
  CHECK(dead().empty());
}

TEST_CASE_METHOD(remote_host_fixture, "an item that fails where its host is well lets others pass",
                 "[remote_host]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return kit::peer_answer{.status = request.body && *request.body == "post 1" ? 500 : 202};
  });
  post(0, 7);
  post(0, 8);
  post(1, 9, 2);
  advance(5s);
  CHECK(far().delivered == 2);
  CHECK(far().exceptions == 1);
  post(0, 7); // about the same object: waits behind it
  advance(2s);
  CHECK(far().delivered == 2);
  CHECK(far().exceptions == 2);
  CHECK(far().state == "healthy");
  peers->set_status("far.example", 202);
  advance(65s);
  CHECK(sent().back() == "post 4");
  CHECK(far().exceptions == 0);
  advance(2s);
  CHECK(waiting().empty());
}

TEST_CASE_METHOD(remote_host_fixture, "an exception is tried seven times and is a dead letter",
                 "[remote_host]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return kit::peer_answer{.status = request.body && *request.body == "post 1" ? 500 : 202};
  });
  post();
  post(1, 0, 2);
  advance(3s);
  REQUIRE(far().exceptions == 1);
  for (const auto wait : {30s, 120s, 600s, 3'600s, 21'600s, 86'400s}) {
    const auto before = count_sent();
    actors.step_wall_clock(wait - 5s);
    CHECK_FALSE(tell(retry_host{address()})); // is no reason to try an exception
    CHECK(count_sent() == before);
    actors.step_wall_clock(6s);
    CHECK_FALSE(tell(retry_host{address()}));
    CHECK(count_sent() == before + 1);
  }
  advance(2s);
  CHECK(far().exceptions == 0);
  CHECK(far().dead == 1);
  CHECK(dead() == texts{"1|status 500|7"});
  CHECK(far().state == "healthy");
}

TEST_CASE_METHOD(remote_host_fixture, "a Delete replaces the exceptions of its object",
                 "[remote_host]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    return kit::peer_answer{.status = request.body && *request.body == "post 1" ? 500 : 202};
  });
  post(0, 7);
  post(1, 8, 2);
  advance(3s);
  REQUIRE(far().exceptions == 1);
  post(0, 7, 1, log_kind::remove);
  advance(35s);
  CHECK(sent().back() == "post 3");
  CHECK(far().exceptions == 0);
  advance(2s);
  CHECK(waiting().empty());
}

TEST_CASE_METHOD(remote_host_fixture, "a host that is busy is left alone for as long as it says",
                 "[remote_host]") {
  post();
  advance(1s);
  answer(429, {{"Retry-After", "20"}});
  post();
  advance(1s);
  const auto before = count_sent();
  CHECK(far().state == "healthy"); // no failure
  CHECK(far().next_try_at);
  answer(202);
  advance(18s);
  CHECK(count_sent() == before);
  advance(2s);
  CHECK(count_sent() == before + 1);
  CHECK(far().waiting == 0);
}

TEST_CASE_METHOD(remote_host_fixture, "a broken host is not tried before it says",
                 "[remote_host]") {
  answer(503, {{"Retry-After", "100"}});
  post();
  advance(90s);
  CHECK(count_sent() == 1);
  answer(202);
  advance(11s);
  CHECK(count_sent() == 2);
}
