// What a host asks of those who fetch from it: 429 or 503 with Retry-After.
#include "kit/remote_host_fixture.hpp"

#include "actors/document_fetcher.hpp"
#include "protocol/http_date.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>

using namespace trunkline;
using namespace trunkline::kit::remote_host_scene;
using namespace std::chrono_literals;

namespace {

/// Far.example takes deliveries, and answers fetches as it is told.
struct waiting_fixture : remote_host_fixture {
  kit::peer_answer to_fetches{.status = 200};

  explicit waiting_fixture(kit::delivery_world_options options = {})
      : remote_host_fixture{std::move(options)} {
    peers->set_rule("far.example", [this](const outgoing_request& request) {
      return request.method == http_method::get ? to_fetches : kit::peer_answer{};
    });
  }

  void ask_to_wait(int status, const std::string& retry_after) {
    to_fetches = {.status = status, .headers = {{"Retry-After", retry_after}}};
  }

  std::ptrdiff_t count_fetches() const {
    return std::ranges::count_if(peers->requests(), [](const kit::sent_request& sent) {
      return sent.host == "far.example" && sent.request.method == http_method::get;
    });
  }

  /// Fetches and returns why nothing came; the host may need a second to say so.
  caf::error refused() {
    const auto reply = fetch();
    if (!reply.ready())
      advance(1s);
    REQUIRE(reply.ready());
    REQUIRE_FALSE(reply.get());
    return reply.get().error();
  }

  /// A fetch that nothing is sent for is refused in the same moment.
  void check_waits_at(time_point until) {
    const auto reply = fetch();
    REQUIRE(reply.ready());
    REQUIRE_FALSE(reply.get());
    const auto& failure = reply.get().error();
    CHECK(code_of(failure) == errc::unavailable);
    CHECK(until_of(failure) == until);
    CHECK(count_fetches() == 1);
  }

  int answered() {
    const auto reply = fetch();
    advance(1s);
    REQUIRE(reply.ready());
    REQUIRE(reply.get());
    return reply.get()->status;
  }
};

} // namespace

TEST_CASE_METHOD(waiting_fixture, "a host that asks to wait is asked again when it said",
                 "[remote_host][fetches]") {
  const auto status = GENERATE(429, 503);
  const auto is_date = GENERATE(false, true);
  CAPTURE(status, is_date);
  const auto date = std::chrono::floor<std::chrono::seconds>(actors.now() + 120s);
  ask_to_wait(status, is_date ? to_http_date(date) : "120");
  const auto answer_at = actors.now() + to_fetches.after;
  const auto failure = refused();
  CHECK(code_of(failure) == errc::unavailable);
  const auto until = until_of(failure);
  REQUIRE(until == (is_date ? time_point{date} : answer_at + 120s));
  const auto second = std::chrono::ceil<std::chrono::seconds>(*until);
  CHECK(context_of(failure) ==
        "far.example asked to wait until " + to_iso8601(second).substr(11, 8));
  CHECK(far().fetch_not_before == until);

  to_fetches = {.status = 200};
  check_waits_at(*until);
  advance(60s);
  check_waits_at(*until);
  advance(*until - actors.now() - 1us);
  check_waits_at(*until);
  advance(1us);
  CHECK(answered() == 200);
  CHECK(count_fetches() == 2);
  CHECK_FALSE(far().fetch_not_before);
}

TEST_CASE_METHOD(waiting_fixture, "fetches that wait end when their host asks to wait",
                 "[remote_host][fetches]") {
  ask_to_wait(429, "300");
  to_fetches.after = 2s;
  auto replies = std::vector<kit::pending_reply<fetched_document>>{};
  for (auto more = 0; more < 5; ++more)
    replies.push_back(fetch());
  advance(1s);
  CHECK_FALSE(replies.back().ready());
  advance(1s);
  for (const auto& reply : replies) {
    REQUIRE(reply.ready());
    REQUIRE_FALSE(reply.get());
    CHECK(code_of(reply.get().error()) == errc::unavailable);
    CHECK(until_of(reply.get().error()) == far().fetch_not_before);
  }
  CHECK(count_fetches() == 1);
}

TEST_CASE_METHOD(waiting_fixture, "a host is not fetched from for at most a day, if anybody asks",
                 "[remote_host][fetches]") {
  ask_to_wait(503, "864000"); // ten days
  const auto until = until_of(refused());
  REQUIRE(until == actors.now() - 1s + to_fetches.after + 24h);
  to_fetches = {.status = 200};
  while (actors.now() + 10min < *until) {
    advance(10min);
    check_waits_at(*until);
  }
  advance(*until - actors.now());
  CHECK(answered() == 200);
}

TEST_CASE_METHOD(waiting_fixture, "what a host asked of fetches is forgotten when nobody asks",
                 "[remote_host][fetches][limit]") {
  ask_to_wait(429, "86400");
  const auto until = until_of(refused());
  REQUIRE(until);
  advance(14min);
  CHECK(counters->active == 1);
  SECTION("for a quarter of an hour") {
    advance(1min);
    CHECK(counters->active == 0);
    to_fetches = {.status = 200};
    CHECK(answered() == 200);
  }
  SECTION("but not before") {
    check_waits_at(*until);
    advance(14min);
    check_waits_at(*until);
  }
}

TEST_CASE_METHOD(waiting_fixture, "a short wait does not keep an idle host",
                 "[remote_host][fetches][limit]") {
  ask_to_wait(429, "5");
  REQUIRE(until_of(refused()));
  advance(2min);
  CHECK(counters->active == 0);
}

TEST_CASE_METHOD(waiting_fixture, "deliveries go on while fetches wait", "[remote_host][fetches]") {
  ask_to_wait(429, "3600");
  const auto until = until_of(refused());
  REQUIRE(until);
  post();
  advance(1s);
  CHECK(far().delivered == 1);
  CHECK(far().waiting == 0);
  CHECK(far().state == "healthy");
  CHECK_FALSE(far().next_try_at);
  check_waits_at(*until); // nor does a delivery end their wait
}

TEST_CASE_METHOD(waiting_fixture, "fetches go on while deliveries wait", "[remote_host][fetches]") {
  peers->set_rule("far.example", [](const outgoing_request& request) {
    if (request.method == http_method::get)
      return kit::peer_answer{.status = 200};
    return kit::peer_answer{.status = 429, .headers = {{"Retry-After", "3600"}}};
  });
  post();
  advance(1s);
  REQUIRE(far().next_try_at);
  CHECK(answered() == 200);
  CHECK_FALSE(far().fetch_not_before);
  CHECK(far().next_try_at);
}

TEST_CASE_METHOD(waiting_fixture, "what is no wish to wait is an answer as any",
                 "[remote_host][fetches]") {
  const auto [status, retry_after] =
      GENERATE(table<int, std::string>({{429, ""},
                                        {503, ""},
                                        {429, "soon"},
                                        {503, "0"},
                                        {429, "Sun, 06 Nov 1994 08:49:37 GMT"},
                                        {500, "120"},
                                        {404, "120"},
                                        {200, "120"}}));
  CAPTURE(status, retry_after);
  ask_to_wait(status, retry_after);
  CHECK(answered() == status);
  CHECK(answered() == status);
  CHECK(count_fetches() == 2);
  CHECK_FALSE(far().fetch_not_before);
}

TEST_CASE_METHOD(waiting_fixture, "of two waits the longer one counts", "[remote_host][fetches]") {
  for (auto more = 0; more < 20; ++more)
    post(0, 0, 1 + more);
  advance(5s);
  REQUIRE(far().window >= 4); // two fetches at once
  ask_to_wait(429, "600");
  const auto first = fetch();
  const auto first_at = actors.now() + to_fetches.after;
  ask_to_wait(429, "10");
  to_fetches.after = 2s;
  const auto second = fetch();
  REQUIRE(count_fetches() == 2);
  advance(3s);
  REQUIRE(first.ready());
  REQUIRE(second.ready());
  CHECK(far().fetch_not_before == first_at + 600s);
}

TEST_CASE_METHOD(waiting_fixture, "an operator's retry ends the wait of fetches",
                 "[remote_host][fetches]") {
  ask_to_wait(429, "3600");
  REQUIRE(until_of(refused()));
  to_fetches = {.status = 200};
  REQUIRE_FALSE(tell(retry_host{address()}));
  CHECK(answered() == 200);
}

TEST_CASE_METHOD(waiting_fixture, "of two hosts of a redirect the one waits that asked to",
                 "[remote_host][fetches]") {
  ask_to_wait(429, "3600");
  peers->set_rule("near.example", [](const outgoing_request&) {
    return kit::peer_answer{.status = 302, .headers = {{"Location", "https://far.example/actor"}}};
  });
  auto got = std::optional<caf::expected<plain_document>>{};
  actors.system().spawn([&](caf::event_based_actor* self) {
    fetch_any(self, {.hosts = hosts, .rules = {}, .own = {"https", "own.example", 443}},
              {.url = "https://near.example/actor"}, "application/activity+json",
              [&](caf::expected<plain_document> found) { got.emplace(std::move(found)); });
  });
  advance(1s);
  REQUIRE(got);
  REQUIRE_FALSE(*got);
  CHECK(code_of(got->error()) == errc::unavailable);
  CHECK(until_of(got->error()) == far().fetch_not_before);
  REQUIRE(far().fetch_not_before);
  check_waits_at(*far().fetch_not_before);
  CHECK_FALSE(report("near.example").fetch_not_before);
  const auto again = fetch("near.example");
  advance(1s);
  REQUIRE(again.ready());
  REQUIRE(again.get());
  CHECK(again.get()->status == 302);
}
