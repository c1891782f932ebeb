#include "api/gateway.hpp"

#include "api/errors.hpp"
#include "api/handling.hpp"
#include "kit/deterministic_system.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;

namespace {

/// What the handler of "/slow" has not answered yet.
std::vector<http_reply> waiting;

void answer(gateway_state&, const matched_request& request, http_reply reply) {
  reply({.status = 200, .body = request.who.known ? "known" : "stranger"});
}

void forget(gateway_state&, const matched_request&, http_reply) {}

void wait(gateway_state&, const matched_request&, http_reply reply) {
  waiting.push_back(std::move(reply));
}

/// Fails with the code that the path names.
void fail(gateway_state& gateway, const matched_request& request, http_reply reply) {
  static const auto codes = std::map<std::string, errc>{{"full", errc::storage_full},
                                                        {"busy", errc::storage_busy},
                                                        {"late", errc::timed_out},
                                                        {"broken", errc::crashed},
                                                        {"gone", errc::gone}};
  refuse(gateway, reply, make_error(codes.at(request.segment()), "post: is not for strangers"));
}

constexpr auto table = std::to_array<route>({
    {http_method::get, "/open", access::open, "", answer},
    {http_method::get, "/own", access::user, "", answer},
    {http_method::get, "/any", access::token, "", answer},
    {http_method::get, "/write", access::user, "write:statuses", answer},
    {http_method::get, "/forget", access::open, "", forget},
    {http_method::get, "/slow", access::open, "", wait},
    {http_method::get, "/fail/{}", access::open, "", fail},
});

/// "Authorization: alice" is a person who may read, "app" an application, anything else is wrong.
void authenticate(gateway_state&, const http_request& request, api_flavour::authenticated then) {
  const auto name = request.header("Authorization");
  if (name.empty())
    return then(caller{});
  if (name == "alice")
    return then(caller{.known = true, .account = {7}, .scopes = {"read"}, .token = "1"});
  if (name == "app")
    return then(caller{.known = true, .scopes = {"read"}, .token = "2"});
  then(make_error(errc::unauthenticated, "The access token is invalid"));
}

constexpr auto requests_max = std::int64_t{3};

struct gateway_fixture {
  kit::deterministic_system actors{5};
  api_services_ptr services = std::make_shared<api_services>(
      api_options{.requests = {.requests = requests_max}, .exchanges_max = 2}, storage_handles{},
      actors.clock());
  api_flavour flavour{.routes = table, .authenticate = authenticate, .error = client_error};
  http_handler handler;

  gateway_fixture() { start(); }
  ~gateway_fixture() { waiting.clear(); }

  void start() { handler = enter({actors.spawn(gateway, services, flavour)}, services, flavour); }

  std::shared_ptr<std::optional<http_response>> send(std::string path, std::string who = "",
                                                     http_method method = http_method::get) {
    auto answered = std::make_shared<std::optional<http_response>>();
    auto request = http_request{.method = method, .path = std::move(path), .peer = "192.0.2.1"};
    if (!who.empty())
      request.headers = {{"Authorization", std::move(who)}};
    handler(std::move(request), http_reply{[answered](http_response response) {
              CHECK_FALSE(answered->has_value());
              answered->emplace(std::move(response));
            }});
    return answered;
  }

  http_response ask(std::string path, std::string who = "", http_method method = http_method::get) {
    const auto answered = send(std::move(path), std::move(who), method);
    actors.settle();
    REQUIRE(answered->has_value());
    return **answered;
  }

  std::int64_t refusals(errc code) const { return services->counters.refusals(code); }
};

void check_unavailable(const http_response& response) {
  CHECK(response.status == 503);
  CHECK(find_header(response.headers, "Retry-After") == "5");
}

} // namespace

TEST_CASE_METHOD(gateway_fixture, "without a ticket a request is answered 503 at once",
                 "[gateway][P4]") {
  const auto first = send("/slow");
  const auto second = send("/slow");
  const auto third = send("/open");
  REQUIRE(third->has_value()); // nothing was settled: no gateway has seen it
  check_unavailable(**third);
  CHECK(refusals(errc::unavailable) == 1);
  CHECK(services->counters.answers(5) == 1);
  CHECK(services->tickets.refused() == 1);

  actors.settle();
  REQUIRE(waiting.size() == 2);
  CHECK_FALSE(first->has_value());
  check_unavailable(ask("/open"));
  waiting.front()({.status = 200});
  waiting.erase(waiting.begin());
  CHECK(first->has_value());
  CHECK(services->tickets.in_use() == 1);
  CHECK(ask("/open").status == 200);
}

TEST_CASE_METHOD(gateway_fixture, "a draining node answers what it has, and takes nothing new",
                 "[gateway]") {
  const auto before = send("/slow");
  actors.settle();
  services->draining = true;
  check_unavailable(ask("/open"));
  CHECK(refusals(errc::unavailable) == 1);
  CHECK(services->tickets.refused() == 0);
  REQUIRE(waiting.size() == 1);
  waiting.front()({.status = 200});
  REQUIRE(before->has_value());
  CHECK((*before)->status == 200);
}

TEST_CASE_METHOD(gateway_fixture, "a node takes nothing new while its lease is over",
                 "[gateway][lease]") {
  const auto lease = std::make_shared<node_lease>();
  services->lease = lease;
  check_unavailable(ask("/open"));
  lease->hold_until(boot_clock::now() + std::chrono::hours{1});
  CHECK(ask("/open").status == 200);
  lease->hold_until(boot_clock::now());
  check_unavailable(ask("/open"));
}

TEST_CASE_METHOD(gateway_fixture, "a promise that is dropped answers 500 and gives its place back",
                 "[gateway]") {
  CHECK(ask("/forget").status == 500);
  CHECK(services->counters.answers(5) == 1);
  CHECK(services->tickets.in_use() == 0);
  const auto slow = send("/slow");
  actors.settle();
  waiting.clear();
  REQUIRE(slow->has_value());
  CHECK((*slow)->status == 500);
  CHECK(services->tickets.in_use() == 0);
}

TEST_CASE_METHOD(gateway_fixture, "what waits in a gateway that ends is answered 500",
                 "[gateway]") {
  const auto slow = send("/slow");
  actors.restart();
  REQUIRE(slow->has_value());
  CHECK((*slow)->status == 500);
  CHECK(services->tickets.in_use() == 0);
}

TEST_CASE_METHOD(gateway_fixture, "every refusal is counted under its code", "[gateway]") {
  struct expected {
    std::string path;
    std::string who;
    errc code;
    int status;
  };
  const auto all = std::vector<expected>{
      {"/nowhere", "", errc::not_found, 404},      {"/open", "mallory", errc::unauthenticated, 401},
      {"/own", "", errc::unauthenticated, 401},    {"/own", "app", errc::invalid, 422},
      {"/write", "alice", errc::forbidden, 403},   {"/fail/full", "", errc::storage_full, 507},
      {"/fail/busy", "", errc::storage_busy, 503}, {"/fail/late", "", errc::timed_out, 503},
      {"/fail/broken", "", errc::crashed, 500},    {"/fail/gone", "", errc::gone, 410},
  };
  for (const auto& each : all) {
    CAPTURE(each.path, each.who);
    const auto before = refusals(each.code);
    const auto response = ask(each.path, each.who);
    CHECK(response.status == each.status);
    CHECK(refusals(each.code) == before + 1);
    const auto comes_again = each.status == 503 || each.status == 507;
    CHECK(find_header(response.headers, "Retry-After").empty() != comes_again);
    // What the server knows of its own faults is not told.
    CHECK((response.body.find("is not for strangers") != std::string::npos) ==
          (each.status == 410));
  }
  const auto refused = ask("/open", "", http_method::post);
  CHECK(refused.status == 405);
  CHECK_FALSE(find_header(refused.headers, "Allow").empty());
  CHECK(refusals(errc::not_allowed) == 1);
  CHECK(services->counters.answers(2) == 0);
  CHECK(ask("/any", "app").body == "known");
  CHECK(ask("/own", "alice").body == "known");
  CHECK(ask("/open").body == "stranger");
  CHECK(services->counters.answers(2) == 3);
}

TEST_CASE_METHOD(gateway_fixture, "past its limit a caller is answered 429, others are not",
                 "[gateway]") {
  flavour.limited = true;
  start();
  CHECK(ask("/nowhere").status == 404);
  CHECK(ask("/open", "mallory").status == 401);
  const auto last = ask("/open");
  CHECK(last.status == 200);
  CHECK(find_header(last.headers, "X-RateLimit-Remaining") == "0");
  CHECK(ask("/open").status == 429);
  CHECK(refusals(errc::rate_limited) == 1);
  CHECK(ask("/own", "alice").status == 200);
  CHECK(ask("/any", "app").status == 200);
}
