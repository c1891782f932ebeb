#include "api/custom_routes.hpp"

#include "actors/messages.hpp"
#include "api/client_api.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"
#include "protocol/crypto.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace trunkline;

namespace {

constexpr auto requests_max = std::int64_t{4};

/// What a handler has got.
struct seen_request {
  http_request http;
  std::vector<std::string> segments;
  caller who;
};

/// Alice (1) may do everything, Bob (2) is disabled, Carol (3) may read alone; the app has a token
/// of its own. A token is its owner's name.
struct custom_routes_fixture {
  kit::deterministic_system actors{5};
  kit::test_storage storage;
  api_services_ptr services =
      std::make_shared<api_services>(api_options{.domain = "example.org",
                                                 .url = "https://example.org",
                                                 .own_urls = urls_of("example.org"),
                                                 .version = "0.1.0",
                                                 .requests = {.requests = requests_max}},
                                     storage.start(actors), actors.clock());
  in_process_handler entry;
  std::vector<seen_request> seen;
  std::vector<http_reply> kept;

  custom_routes_fixture() {
    for (const auto* account :
         {"(1, 'alice', 'alice', 'https://example.org/users/alice', 0, NULL)",
          "(2, 'bob', 'bob', 'https://example.org/users/bob', 0, 5)",
          "(3, 'carol', 'carol', 'https://example.org/users/carol', 0, NULL)"})
      run(std::string{
              "INSERT INTO account(id, name, folded, uri, created_at, disabled_at) VALUES"} +
          account);
    add_token("alice", 1, "read write");
    add_token("carol", 3, "read");
    add_token("app", sql_value{}, "read write");
    services->own_routes = std::make_shared<const custom_routes>(rows());
    entry =
        enter_as({actors.spawn(gateway, services, client_flavour())}, services, client_flavour());
  }

  void run(const std::string& sql) { REQUIRE(storage.db().run(sql)); }

  void add_token(const std::string& token, sql_value account, const std::string& scopes) {
    REQUIRE(storage.db().run("INSERT INTO token(hash, account_id, scopes, created_at)"
                             " VALUES ($1, $2, $3, 0)",
                             {blob{sha256(token)}, std::move(account), scopes}));
  }

  custom_handler say(std::string word) {
    return [this, word](const matched_request& request, const http_reply& reply) {
      seen.push_back({request.http, request.segments, request.who});
      reply({.status = 200, .body = word});
    };
  }

  std::vector<custom_route> rows() {
    const auto keep = [this](const matched_request&, http_reply reply) {
      kept.push_back(std::move(reply));
    };
    return {
        {http_method::get, "/hello/{}", access::open, "", 100, say("hello")},
        {http_method::get, "/hello/you", access::open, "", 100, say("never: an earlier one wins")},
        {http_method::get, "/health", access::open, "", 100, say("never: ours wins")},
        {http_method::post, "/health", access::open, "", 100, say("taken up")},
        {http_method::post, "/note", access::token, "write:statuses", 10, say("note")},
        {http_method::get, "/me", access::user, "", 100, say("me")},
        {http_method::get, "/later", access::open, "", 100, keep}};
  }

  http_response ask(http_method method, std::string path, const std::string& token = "",
                    std::string body = "", std::shared_ptr<const caller> who = nullptr) {
    auto answered = std::make_shared<std::optional<http_response>>();
    auto request = http_request{.method = method, .path = std::move(path), .peer = "192.0.2.1"};
    request.body = std::move(body);
    if (!token.empty())
      request.headers = {{"Authorization", "Bearer " + token}};
    entry(std::move(request), std::move(who), http_reply{[answered](http_response response) {
            answered->emplace(std::move(response));
          }});
    actors.settle();
    REQUIRE(answered->has_value());
    return std::move(**answered);
  }

  http_response get(const std::string& path, const std::string& token = "") {
    return ask(http_method::get, path, token);
  }
};

} // namespace

TEST_CASE_METHOD(custom_routes_fixture, "an embedder's route is found when none of ours fits",
                 "[custom_routes]") {
  const auto hello = get("/hello/wor%6Cd/");
  CHECK(hello.status == 200);
  CHECK(hello.body == "hello");
  CHECK(find_header(hello.headers, "Access-Control-Allow-Origin") == "*");
  CHECK(find_header(hello.headers, "X-Content-Type-Options") == "nosniff");
  CHECK(find_header(hello.headers, "X-RateLimit-Limit") == "4");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].segments == std::vector<std::string>{"world"});
  CHECK_FALSE(seen[0].who.known);

  CHECK(ask(http_method::head, "/hello/you").body == "hello");
  CHECK(ask(http_method::options, "/hello/you").status == 204);
  CHECK(get("/hello").status == 404);
}

TEST_CASE_METHOD(custom_routes_fixture, "ours go before the embedder's, by method and path",
                 "[custom_routes]") {
  CHECK(get("/health").body.find("never") == std::string::npos);
  CHECK(ask(http_method::post, "/health").body == "taken up");
  const auto refused = ask(http_method::del, "/health");
  CHECK(refused.status == 405);
  CHECK(find_header(refused.headers, "Allow") == "GET, HEAD, POST");
}

TEST_CASE_METHOD(custom_routes_fixture, "who may use a route is checked before its handler",
                 "[custom_routes]") {
  CHECK(ask(http_method::post, "/note").status == 401);
  CHECK(ask(http_method::post, "/note", "carol").status == 403);
  CHECK(ask(http_method::post, "/note", "nobody").status == 401);
  CHECK(seen.empty());
}

TEST_CASE_METHOD(custom_routes_fixture, "a handler learns whose token came along",
                 "[custom_routes]") {
  CHECK(ask(http_method::post, "/note", "app").body == "note");
  CHECK(get("/me", "app").status == 422);
  CHECK(get("/me", "carol").body == "me");
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].who.known);
  CHECK_FALSE(seen[0].who.account);
  CHECK(seen[1].who.account == account_id{3});
  CHECK(seen[1].who.scopes == scope_set{"read"});
  CHECK(get("/hello/you", "nobody").status == 401); // a wrong token is wrong on open routes as well
}

TEST_CASE_METHOD(custom_routes_fixture,
                 "a body over the route's limit is answered 413, and is the "
                 "embedder's to read",
                 "[custom_routes]") {
  CHECK(ask(http_method::post, "/note", "alice", "01234567890").status == 413);
  CHECK(seen.empty());
  CHECK(ask(http_method::post, "/note", "alice", "{\"broken\"").body == "note");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].http.body == "{\"broken\"");
}

TEST_CASE_METHOD(custom_routes_fixture, "a kept promise holds its ticket until it is answered",
                 "[custom_routes]") {
  auto answered = std::make_shared<std::optional<http_response>>();
  entry({.method = http_method::get, .path = "/later"}, nullptr,
        http_reply{[answered](http_response response) { answered->emplace(std::move(response)); }});
  actors.settle();
  REQUIRE(kept.size() == 1);
  CHECK(services->tickets.in_use() == 1);
  kept.front()({.status = 201});
  kept.clear();
  REQUIRE(answered->has_value());
  CHECK((*answered)->status == 201);
  CHECK(services->tickets.in_use() == 0);
}

TEST_CASE_METHOD(custom_routes_fixture,
                 "the program around the engine is not counted, but must "
                 "name an account that may act",
                 "[custom_routes][gateway]") {
  const auto as = [this](std::int64_t account) {
    return ask(http_method::get, "/me", "", "",
               std::make_shared<const caller>(
                   caller{.known = true, .account = {account}, .scopes = known_scopes()}));
  };
  for (auto i = std::int64_t{0}; i < 3 * requests_max; ++i)
    CHECK(as(1).status == 200);
  CHECK(find_header(as(1).headers, "X-RateLimit-Limit").empty());
  CHECK(as(2).status == 403); // disabled
  CHECK(as(9).status == 404); // nobody
  CHECK(seen.size() == 3 * requests_max + 1);
  for (auto i = std::int64_t{0}; i < requests_max; ++i)
    CHECK(get("/hello/you").status == 200);
  CHECK(get("/hello/you").status == 429);
}
