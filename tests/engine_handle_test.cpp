// HTTP in process: the rules of the server, in the same words, and nobody's word but the
// configuration's for who this server is (A10, A28, A127).

#include "protocol/http_date.hpp"
#include "protocol/json.hpp"
#include "tests/kit/signed_message.hpp"
#include "trunkline/engine.hpp"
#include "trunkline/testing.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

const auto vera = std::string{"https://local.example/users/vera"};
const auto eve = std::string{"https://remote.example/users/eve"};

/// vera@local.example in a virtual world whose time fits the messages of `kit`; eve@remote.example
/// has the key that signs them.
struct handled_world {
  testing::world world;
  testing::remote_server& remote = world.server("remote.example");
  engine node = make();
  std::string account;

  handled_world() {
    remote.answer([](const web_request& asked) { return show(asked); });
    account = node.create_account({.name = "vera"})->id;
  }

  engine make() {
    world.advance(std::chrono::duration_cast<std::chrono::milliseconds>(kit::now - world.now()));
    auto started = world.start(engine::builder{*options::for_domain("local.example")});
    REQUIRE(started);
    return std::move(*started);
  }

  static web_response show(const web_request& asked) {
    if (asked.method == "POST")
      return {.status = 202};
    if (asked.target.starts_with("/.well-known/webfinger?"))
      return {.content_type = "application/jrd+json",
              .body = to_json(json_object{{"subject", "acct:eve@remote.example"},
                                          {"links", json_array{self_link()}}})};
    if (asked.target != "/users/eve")
      return {.status = 404};
    const auto key = json_object{
        {"id", kit::key_id}, {"owner", eve}, {"publicKeyPem", kit::remote_public_pem()}};
    return {.content_type = "application/activity+json",
            .body = to_json(json_object{{"@context", "https://www.w3.org/ns/activitystreams"},
                                        {"id", eve},
                                        {"type", "Person"},
                                        {"preferredUsername", "eve"},
                                        {"inbox", eve + "/inbox"},
                                        {"publicKey", key}})};
  }

  static json_object self_link() {
    return {{"rel", "self"}, {"type", "application/activity+json"}, {"href", eve}};
  }

  web_response get(const std::string& target, web_headers headers = {}) {
    return node.handle({.target = target, .headers = std::move(headers)});
  }

  /// Sends `said` to Vera's inbox, signed by Eve's key.
  int send(const json_object& said, const web_headers& more = {},
           const std::string& host = "local.example") {
    auto message = kit::message{};
    message.field("Host") = host;
    message.body = to_json(said);
    for (const auto& header : more)
      message.fields.push_back(header);
    message.field("Date") = to_http_date(kit::now);
    message = kit::cavage(message);
    message.fields.emplace_back("Content-Type", "application/activity+json");
    const auto status = node.handle({.method = "POST",
                                     .target = kit::inbox,
                                     .headers = message.fields,
                                     .body = message.body})
                            .status;
    world.settle();
    return status;
  }

  int followers() {
    const auto shown = get("/api/v1/accounts/" + account);
    REQUIRE(shown.status == 200);
    return static_cast<int>(
        *parse_json(shown.body)->as_object()->find("followers_count")->as_int());
  }
};

json_object follow_by(const std::string& actor) {
  return {{"@context", "https://www.w3.org/ns/activitystreams"},
          {"id", actor + "/follows/1"},
          {"type", "Follow"},
          {"actor", actor},
          {"object", vera}};
}

engine small_engine() {
  auto values = *options::for_domain("local.example");
  REQUIRE(values.set("server.body_bytes_max", "1024"));
  REQUIRE(values.set("server.header_bytes_max", "16384"));
  auto started = engine::builder{values}.storage(store::memory()).start();
  REQUIRE(started);
  REQUIRE(started->wait_ready(60s));
  return std::move(*started);
}

} // namespace

TEST_CASE("what no server would let through is answered as a server does", "[engine][handle]") {
  auto node = small_engine();
  struct row {
    web_request request;
    int status;
    std::string error;
  };
  const auto many = web_headers(101, {"X", "y"});
  const auto rows = std::vector<row>{
      {{.method = "GE T"}, 400, "Malformed request line"},
      {{.method = ""}, 400, "Malformed request line"},
      {{.method = "GET\r\nX: y\r\n\r\n"}, 400, "Malformed request line"},
      {{.target = "/a b"}, 400, "Malformed request line"},
      {{.target = "/a HTTP/1.1\r\nHost: evil\r\n"}, 400, "Malformed request line"},
      {{.target = "health"}, 400, "Malformed request target"},
      {{.target = "/%zz"}, 400, "Malformed request target"},
      {{.target = "/%00"}, 400, "Malformed request target"},
      {{.target = "/h\xc3\xa4"}, 400, "Malformed request line"},
      {{.target = "https://evil.example/health", .headers = {{"Host", "local.example"}}},
       400,
       "Request target names another host than Host"},
      {{.target = "/" + std::string(8 * 1024, 'a')}, 414, "Request target too long"},
      {{.headers = many}, 431, "Request headers too large"},
      {{.headers = {{"X", std::string(16'384, 'a')}}}, 431, "Request headers too large"},
      {{.headers = {{"X", "a\r\nHost: evil.example"}}}, 400, "Malformed header"},
      {{.headers = {{"X", std::string{"a\0b", 3}}}}, 400, "NUL in the head"},
      {{.headers = {{"X:y", "a"}}}, 400, "Malformed header"},
      {{.headers = {{"", "a"}}}, 400, "Malformed header"},
      {{.headers = {{"X ", "a"}}}, 400, "Malformed header"},
      {{.headers = {{"Host", "a.example"}, {"host", "b.example"}}},
       400,
       "Missing, repeated or malformed Host"},
      {{.headers = {{"Host", "a b"}}}, 400, "Missing, repeated or malformed Host"},
      {{.headers = {{"Content-Length", "1"}}}, 400, "Content-Length contradicts the body"},
      {{.headers = {{"Content-Length", "0"}, {"Content-Length", "0"}}},
       400,
       "Malformed or repeated Content-Length"},
      {{.headers = {{"Content-Length", "-1"}}}, 400, "Malformed or repeated Content-Length"},
      {{.headers = {{"Transfer-Encoding", "chunked"}}},
       400,
       "Unsupported or ambiguous Transfer-Encoding"},
      {{.headers = {{"Expect", "cake"}}}, 417, "Unsupported Expect"},
      {{.method = "POST", .body = std::string(1025, 'a')}, 413, "Request body too large"},
  };
  for (const auto& [request, status, error] : rows) {
    CAPTURE(request.method, request.target, error);
    const auto answer = node.handle(request);
    CHECK(answer.status == status);
    CHECK(answer.body == R"({"error":")" + error + R"("})");
  }
}

TEST_CASE("what a server lets through is served in process", "[engine][handle]") {
  auto node = small_engine();
  CHECK(node.handle({.target = "/health"}).status == 200); // without Host
  CHECK(node.handle({.target = "/health", .headers = {{"Host", "a.example"}}}).status == 200);
  CHECK(node.handle({.target = "https://a.example/health", .headers = {{"Host", "a.example"}}})
            .status == 200);
  CHECK(node.handle({.method = "HEAD", .target = "/health"}).body.empty());
  CHECK(node.handle({.method = "HEAD", .target = "/health"}).status == 200);
  CHECK(node.handle({.method = "PROPFIND", .target = "/health"}).status == 405);
  CHECK(node.handle({.method = "POST",
                     .target = "/api/v1/apps",
                     .headers = {{"Content-Type", " application/json "}, {"Content-Length", "2"}},
                     .body = "{}"})
            .status == 422);
  CHECK(node.handle({.target = "/nothing?x=%41"}).status == 404);
}

TEST_CASE("an answer comes once, and what the embedder throws is ignored", "[engine][handle]") {
  auto node = small_engine();
  auto answered = std::promise<int>{};
  node.handle({.target = "/health"}, [&](const web_response& answer) {
    answered.set_value(answer.status); // a second call would throw
    throw 1;
  });
  CHECK(answered.get_future().get() == 200);
  node.handle({.target = "/health"}, nullptr);
  node.handle({.target = "bad"}, [](const web_response&) { throw 1; });
  CHECK(node.handle({.target = "/health"}).status == 200);
}

TEST_CASE("A10: a key of one host speaks for nobody of another", "[engine][handle][abuse]") {
  auto all = handled_world{};
  const auto victim = std::string{"https://victim.example/users/mallory"};
  all.world.server("victim.example").actor("mallory");
  CHECK(all.send(follow_by(victim)) == 403);
  CHECK(all.followers() == 0);
  CHECK(all.send(follow_by("https://remote.example/users/adam")) == 403);
  CHECK(all.followers() == 0);

  CHECK(all.send(follow_by(eve), {}, "elsewhere.example") == 401); // signed for another server
  CHECK(all.followers() == 0);
  CHECK(all.send(follow_by(eve)) == 202);
  CHECK(all.followers() == 1);
}

TEST_CASE("A28: a digest of followers makes nobody fetch or forget", "[engine][handle][abuse]") {
  auto all = handled_world{};
  REQUIRE(all.send(follow_by(eve)) == 202);
  REQUIRE(all.followers() == 1);
  auto& other = all.world.server("collector.example");
  const auto zero = std::string(64, '0');
  const auto words = [&](const std::string& collection, const std::string& url) {
    return "collectionId=\"" + collection + "\", url=\"" + url + "\", digest=\"" + zero + "\"";
  };
  const auto kinds = std::vector<std::string>{
      words(vera + "/followers", "https://collector.example/sync"),
      words(eve + "/followers", "https://collector.example/sync"),
      words(eve + "/followers", eve + "/followers_synchronization"),
      "collectionId=, url, digest",
  };
  const auto asked = all.remote.requests();
  auto number = 0;
  for (const auto& kind : kinds) {
    CAPTURE(kind);
    auto said = json_object{{"@context", "https://www.w3.org/ns/activitystreams"},
                            {"id", eve + "/likes/" + std::to_string(++number)},
                            {"type", "Like"},
                            {"actor", eve},
                            {"object", vera + "/statuses/1"}};
    CHECK(all.send(said, {{"Collection-Synchronization", kind}}) == 202);
    all.world.advance(1min);
    CHECK(all.followers() == 1);
  }
  CHECK(all.remote.requests() == asked);
  CHECK(other.requests() == 0);
}

TEST_CASE("A127: only the configuration says who this server is", "[engine][handle][abuse]") {
  auto all = handled_world{};
  REQUIRE(all.node.post(all.account, {.text = "hello"}));
  const auto poison = web_headers{{"Host", "evil.example"},
                                  {"X-Forwarded-Host", "evil.example"},
                                  {"X-Forwarded-Proto", "gopher"},
                                  {"Forwarded", "host=evil.example;proto=http"}};
  auto as_server = poison;
  as_server.emplace_back("Accept", "application/activity+json");
  auto as_person = poison;
  as_person.emplace_back("Accept", "text/html");
  const auto targets = std::vector<std::string>{
      "/.well-known/webfinger?resource=acct:vera@local.example",
      "/.well-known/host-meta",
      "/.well-known/nodeinfo",
      "/.well-known/oauth-authorization-server",
      "/nodeinfo/2.0",
      "/users/vera",
      "/users/vera/outbox",
      "/@vera",
      "/actor",
      "/",
      "/api/v2/instance",
      "/api/v1/instance",
      "/api/v1/accounts/" + all.account,
      "/api/v1/accounts/" + all.account + "/statuses",
      "/api/v1/timelines/public?limit=1",
      "/oauth/authorize?client_id=x&response_type=code",
  };
  auto named = 0;
  for (const auto& target : targets)
    for (const auto& headers : {poison, as_server, as_person}) {
      CAPTURE(target);
      const auto answer = all.get(target, headers);
      CHECK(answer.status < 500);
      CHECK(answer.body.find("evil.example") == std::string::npos);
      CHECK(answer.body.find("gopher") == std::string::npos);
      for (const auto& [name, value] : answer.headers)
        CHECK(value.find("evil.example") == std::string::npos);
      named += answer.body.find("https://local.example") != std::string::npos ? 1 : 0;
    }
  CHECK(named > 20);
  CHECK(all.get("/.well-known/webfinger?resource=acct:vera@evil.example", poison).status == 404);
}
