// An embedder's own routes in whole engines: whom they serve, and what becomes of their answers.

#include "tests/kit/running_engine.hpp"
#include "trunkline/testing.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

using namespace trunkline;
using kit::must;

namespace {

web_response text(std::string body) {
  return {.content_type = "text/plain", .body = std::move(body)};
}

std::string header(const web_response& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers)
    if (key == name)
      return value;
  return "";
}

/// Answers with everything that it was given.
void echo(const route_request& request, const web_reply& reply) {
  auto said = request.web.method + " " + request.web.target;
  for (const auto& segment : request.segments)
    said += " [" + segment + "]";
  said += request.caller.known ? " known " + request.caller.account : " stranger";
  for (const auto& scope : request.caller.scopes)
    said += " " + scope;
  reply(text(said + " " + request.web.body));
}

web_headers bearer(const std::string& token) {
  return {{"Authorization", "Bearer " + token}};
}

} // namespace

TEST_CASE("an own route answers with who asked and for what", "[routes]") {
  auto parts = kit::parts_in_memory();
  parts.route("GET", "/echo/{}/{}", echo);
  parts.route("POST", "/note", echo,
              {.access = route_access::user, .scope = "write:statuses", .body_bytes_max = 4});
  parts.route("GET", "/any", echo, {.access = route_access::token});
  auto node = kit::start_engine(std::move(parts));
  const auto alice = must(node.create_account({.name = "alice"})).id;
  const auto writer = must(node.create_token(alice, "read write"));
  const auto reader = must(node.create_token(alice, "read"));

  const auto open = node.handle({.target = "/echo/a%20b/c?x=%31", .peer = "192.0.2.7"});
  CHECK(open.status == 200);
  CHECK(open.content_type == "text/plain");
  CHECK(open.body == "GET /echo/a%20b/c?x=%31 [a b] [c] stranger ");
  CHECK(header(open, "Access-Control-Allow-Origin") == "*");
  CHECK(header(open, "X-Content-Type-Options") == "nosniff");
  CHECK(node.handle({.method = "HEAD", .target = "/echo/a/b"}).status == 200);
  CHECK(node.handle({.method = "OPTIONS", .target = "/echo/a/b"}).status == 204);
  CHECK(node.handle({.method = "DELETE", .target = "/echo/a/b"}).status == 405);
  CHECK(node.handle({.target = "/echo/a"}).status == 404);

  CHECK(node.handle({.target = "/any"}).status == 401);
  CHECK(node.handle({.target = "/any", .headers = bearer("wrong")}).status == 401);
  CHECK(node.handle({.target = "/any", .headers = bearer(reader)}).body ==
        "GET /any known " + alice + " read ");
  CHECK(node.handle({.method = "POST", .target = "/note"}).status == 401);
  CHECK(node.handle({.method = "POST", .target = "/note", .headers = bearer(reader)}).status ==
        403);
  CHECK(
      node.handle({.method = "POST", .target = "/note", .headers = bearer(writer), .body = "1234"})
          .body == "POST /note known " + alice + " read write 1234");
  CHECK(
      node.handle({.method = "POST", .target = "/note", .headers = bearer(writer), .body = "12345"})
          .status == 413);
}

TEST_CASE("a handler that throws, forgets or answers nonsense is answered 500", "[routes]") {
  auto parts = kit::parts_in_memory();
  auto kept = web_reply{};
  parts.route("GET", "/throw", [](const route_request&, const web_reply&) {
    throw std::runtime_error{"by the embedder"};
  });
  parts.route("GET", "/throw-kept", [&kept](const route_request&, web_reply reply) {
    kept = std::move(reply);
    throw 1;
  });
  parts.route("GET", "/late-throw", [](const route_request&, const web_reply& reply) {
    reply(text("said before"));
    throw 1;
  });
  parts.route("GET", "/forget", [](const route_request&, const web_reply&) {});
  parts.route("GET", "/twice", [](const route_request&, const web_reply& reply) {
    reply(text("first"));
    reply(text("second"));
  });
  parts.route("GET", "/status",
              [](const route_request&, const web_reply& reply) { reply({.status = 99}); });
  parts.route("GET", "/split", [](const route_request&, const web_reply& reply) {
    reply({.headers = {{"X-A", "1\r\nSet-Cookie: b"}}});
  });
  parts.route("GET", "/framed", [](const route_request&, const web_reply& reply) {
    reply({.headers = {{"Content-LENGTH", "7"}, {"X-A", "1"}}});
  });
  auto node = kit::start_engine(std::move(parts));
  for (const auto* path : {"/throw", "/throw-kept", "/forget", "/status", "/split"}) {
    CAPTURE(path);
    const auto answer = node.handle({.target = path});
    CHECK(answer.status == 500);
    CHECK(answer.body.find("embedder") == std::string::npos);
    CHECK(header(answer, "Set-Cookie").empty());
  }
  kept(text("too late"));
  CHECK(node.handle({.target = "/late-throw"}).body == "said before");
  CHECK(node.handle({.target = "/twice"}).body == "first");
  const auto framed = node.handle({.target = "/framed"});
  CHECK(framed.status == 200);
  CHECK(header(framed, "X-A") == "1");
  CHECK(header(framed, "Content-LENGTH").empty());
}

TEST_CASE("an answer may come later, from any thread, and call the engine", "[routes]") {
  auto parts = kit::parts_in_memory();
  auto* inside = static_cast<engine*>(nullptr);
  auto later = std::thread{};
  parts.route("GET", "/later", [&later](const route_request&, web_reply reply) {
    later = std::thread{[reply = std::move(reply)] { reply(text("later")); }};
  });
  parts.route("GET", "/find/{}", [&inside](const route_request& request, const web_reply& reply) {
    const auto found = inside->find_account(request.segments.front());
    reply(text(found ? found->uri : found.error().message));
  });
  auto node = kit::start_engine(std::move(parts));
  inside = &node;
  must(node.create_account({.name = "alice"}));
  CHECK(node.handle({.target = "/later"}).body == "later");
  CHECK(node.handle({.target = "/find/alice"}).body == "https://a.example/users/alice");
  CHECK(node.handle({.target = "/find/x@y"}).body.starts_with("find_account: "));
  later.join();
}

TEST_CASE("256 requests wait for a slow handler; more are answered 503, and nothing else waits",
          "[routes]") {
  constexpr auto waiting = std::size_t{256};
  auto door = kit::gate{};
  auto parts = kit::parts_in_memory();
  parts.route("GET", "/slow", [&door](const route_request&, const web_reply& reply) {
    door.pass();
    reply(text("slow"));
  });
  auto answers = kit::mail<int>{};
  auto node = kit::start_engine(std::move(parts));
  const auto alice = must(node.create_account({.name = "alice"})).id;
  const auto send = [&] {
    node.handle({.target = "/slow"},
                [&answers](const web_response& answer) { answers.put(answer.status); });
  };
  send();
  REQUIRE(door.wait_arrived());
  for (auto i = std::size_t{0}; i < waiting + 3; ++i)
    send();
  CHECK(answers.take(3) == std::vector<int>{503, 503, 503});
  CHECK(node.post(alice, {.text = "nobody holds me up"}));
  CHECK(node.handle({.target = "/api/v1/instance"}).status == 200);
  door.open();
  auto all = answers.take(waiting + 1);
  CHECK(all.size() == waiting + 1);
  CHECK(std::ranges::count(all, 200) == static_cast<std::ptrdiff_t>(waiting + 1));
}

TEST_CASE("what a handler keeps is answered at the end of the engine, and harmless afterwards",
          "[routes]") {
  auto kept = kit::mail<web_reply>{};
  auto answers = kit::mail<int>{};
  auto parts = kit::parts_in_memory();
  parts.route("GET", "/keep",
              [&kept](const route_request&, web_reply reply) { kept.put(std::move(reply)); });
  auto node = std::make_unique<engine>(kit::start_engine(std::move(parts)));
  for (auto i = 0; i < 2; ++i)
    node->handle({.target = "/keep"},
                 [&answers](const web_response& answer) { answers.put(answer.status); });
  const auto promises = kept.take(2);
  REQUIRE(promises.size() == 2);
  promises.front()(text("in time"));
  CHECK(answers.take(1) == std::vector<int>{200});
  node.reset();
  CHECK(answers.take(1) == std::vector<int>{503});
  for (const auto& promise : promises)
    promise(text("after the end"));
}

TEST_CASE("no more than 1,024 requests of own routes are without an answer", "[routes]") {
  constexpr auto kept_max = std::size_t{1'024};
  auto kept = kit::mail<web_reply>{};
  auto values = must(options::for_domain("a.example"));
  must(values.set("rate_limit.requests", "100000"));
  auto parts = kit::parts_in_memory(values);
  parts.route("GET", "/keep",
              [&kept](const route_request&, web_reply reply) { kept.put(std::move(reply)); });
  auto answers = kit::mail<int>{};
  auto node = kit::start_engine(std::move(parts));
  const auto ignore = [&answers](const web_response& answer) { answers.put(answer.status); };
  auto promises = std::vector<web_reply>{};
  for (auto i = std::size_t{1}; i <= kept_max; ++i) {
    node.handle({.target = "/keep"}, ignore);
    if (i % 128 == 0) // fewer at a time than may wait
      for (auto& promise : kept.take(128))
        promises.push_back(std::move(promise));
  }
  REQUIRE(promises.size() == kept_max);
  CHECK(node.handle({.target = "/keep"}).status == 503);
  CHECK(node.handle({.target = "/api/v1/instance"}).status == 200);
  promises.clear();
  CHECK(answers.take(kept_max).size() == kept_max);
  node.handle({.target = "/keep"}, ignore);
  CHECK(kept.take(1).size() == 1); // there is room again; the promise is dropped
  CHECK(answers.take(1) == std::vector<int>{500});
}

TEST_CASE("own routes work in a virtual world", "[routes]") {
  auto world = testing::world{};
  auto parts = kit::parts_in_memory();
  auto* inside = static_cast<engine*>(nullptr);
  parts.route("GET", "/echo/{}", echo);
  parts.route("GET", "/find/{}", [&inside](const route_request& request, const web_reply& reply) {
    const auto found = inside->find_account(request.segments.front());
    reply(text(found ? found->id : found.error().message));
  });
  auto node = must(world.start(std::move(parts)));
  inside = &node;
  const auto alice = must(node.create_account({.name = "alice"})).id;
  CHECK(node.handle({.target = "/echo/x"}).body == "GET /echo/x [x] stranger ");
  CHECK(node.handle({.target = "/find/alice"}).body == alice);
}
