// WebFinger, host-meta and NodeInfo: what other servers ask before they ask for anything else.

#include "kit/api_world.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using kit::api_world;

namespace {

http_response finger(api_world& world, const std::string& resource) {
  return world.ask({"/.well-known/webfinger?resource=" + resource, {}});
}

json_value parsed(const http_response& response) {
  REQUIRE(response.status == 200);
  auto value = parse_json(response.body);
  REQUIRE(value);
  return std::move(*value);
}

} // namespace

TEST_CASE("an account is found by its address and by its URLs", "[discovery]") {
  auto world = api_world{};
  for (const auto* resource :
       {"acct:Alice@example.org", "acct:alice@EXAMPLE.org", "acct%3Aalice%40example.org",
        "https://example.org/users/Alice", "https://example.org/@alice"}) {
    CAPTURE(resource);
    const auto answer = finger(world, resource);
    CHECK(answer.content_type == "application/jrd+json; charset=utf-8");
    const auto document = parsed(answer);
    CHECK(*document.find("subject")->as_string() == "acct:Alice@example.org");
    CHECK(to_json(*document.find("aliases")) ==
          R"(["https://example.org/@Alice","https://example.org/users/Alice"])");
    CHECK(to_json(*document.find("links")) ==
          R"([{"rel":"http://webfinger.net/rel/profile-page","type":"text/html",)"
          R"("href":"https://example.org/@Alice"},{"rel":"self",)"
          R"("type":"application/activity+json","href":"https://example.org/users/Alice"}])");
  }
}

TEST_CASE("A58, A59: no other spelling and no other domain is taken for ours", "[discovery]") {
  auto world = api_world{};
  for (const auto* resource : {"acct:alice@example.org/",
                               "acct:alice@example.org/.e",
                               "acct:alice@example.org:443",
                               "acct:alice@example.org.",
                               "acct:alice@r.example",
                               "acct:carol@r.example",
                               "acct:carol@example.org",
                               "acct:alice",
                               "acct:@example.org",
                               "acct:alice@@example.org",
                               "acct:@alice@example.org",
                               "acct:carol@r.example@example.org",
                               "https://example.org/@carol@r.example",
                               "https://example.org/users/carol@r.example",
                               "https://example.org/@alice/11",
                               "https://example.org/users/alice/statuses/11",
                               "https://example.org.evil.example/@alice",
                               "http://example.org/@alice",
                               "https://r.example/users/carol",
                               "https://example.org:443/@alice",
                               "acct:alice@%EF%BD%85xample.org",
                               "acct:nobody@example.org",
                               "alice@example.org"}) {
    CAPTURE(resource);
    CHECK(finger(world, resource).status == 404);
  }
  CHECK(world.ask({"/.well-known/webfinger", {}}).status == 400);
  world.run("UPDATE account SET deleted_at = 1 WHERE id = 1");
  CHECK(finger(world, "acct:alice@example.org").status == 410);
}

TEST_CASE("A127: links name the configured host, whatever the request says", "[discovery]") {
  auto world = api_world{};
  for (const auto* path :
       {"/.well-known/webfinger?resource=acct:alice@example.org", "/.well-known/host-meta",
        "/.well-known/host-meta.json", "/.well-known/nodeinfo", "/users/alice"}) {
    const auto answer = world.ask({path,
                                   {{"Host", "evil.example"},
                                    {"X-Forwarded-Host", "evil.example"},
                                    {"Accept", "application/activity+json"}}});
    CHECK(answer.status == 200);
    CHECK(answer.body.find("evil") == std::string::npos);
    CHECK(answer.body.find("https://example.org/") != std::string::npos);
  }
}

TEST_CASE("the server's own actor is found as others look for it", "[discovery]") {
  auto world = api_world{};
  for (const auto* resource : {"acct:example.org@example.org", "https://example.org/actor"}) {
    const auto document = parsed(finger(world, resource));
    CHECK(*document.find("subject")->as_string() == "acct:example.org@example.org");
    CHECK(to_json(*document.find("links")).find("\"https://example.org/actor\"") !=
          std::string::npos);
  }
}

TEST_CASE("host-meta says where WebFinger is, in XML and JSON", "[discovery]") {
  auto world = api_world{};
  const auto xml = world.ask({"/.well-known/host-meta", {}});
  CHECK(xml.content_type == "application/xrd+xml; charset=utf-8");
  CHECK(xml.body.find("template=\"https://example.org/.well-known/webfinger?resource={uri}\"") !=
        std::string::npos);
  for (const auto& json : {world.ask({"/.well-known/host-meta.json", {}}),
                           world.ask({"/.well-known/host-meta", {{"Accept", "application/json"}}})})
    CHECK(json.body ==
          R"({"links":[{"rel":"lrdd","type":"application/jrd+json",)"
          R"("template":"https://example.org/.well-known/webfinger?resource={uri}"}]})");
}

TEST_CASE("NodeInfo has what its schema requires", "[discovery]") {
  auto world = api_world{};
  const auto index = parsed(world.ask({"/.well-known/nodeinfo", {}}));
  CHECK(index.find("links")->as_array()->size() == 2);
  for (const std::string version : {"2.0", "2.1"}) {
    const auto answer = world.ask({"/nodeinfo/" + version, {}});
    CHECK(answer.content_type.find("nodeinfo.diaspora.software/ns/schema/" + version) !=
          std::string::npos);
    const auto document = parsed(answer);
    CHECK(*document.find("version")->as_string() == version);
    for (const auto* member :
         {"software", "protocols", "services", "openRegistrations", "usage", "metadata"})
      CHECK(document.find(member));
    CHECK(*document.find("software")->find("name")->as_string() == "trunkline");
    CHECK(to_json(*document.find("usage")->find("users")->find("total")) == "3");
    CHECK(to_json(*document.find("protocols")) == "[\"activitypub\"]");
  }
  CHECK(world.ask({"/nodeinfo/3.0", {}}).status == 404);
}
