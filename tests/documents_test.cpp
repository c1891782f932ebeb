#include "api/documents.hpp"

#include "kit/api_world.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using kit::api_world;

namespace {

const auto carol = std::string{"https://r.example/users/carol"};
const auto dave = std::string{"https://r.example/users/dave"};
const auto eve = std::string{"https://e.example/users/eve"};
const auto alice = std::string{"https://example.org/users/Alice"};

std::string text(const json_value& document, std::initializer_list<std::string_view> path) {
  const auto* value = &document;
  for (const auto member : path)
    value = value ? value->find(member) : nullptr;
  const auto* found = value ? value->as_string() : nullptr;
  return found ? *found : "";
}

std::string header(const http_response& response, std::string_view name) {
  return std::string{find_header(response.headers, name)};
}

json_value parsed(const http_response& response) {
  auto value = parse_json(response.body);
  REQUIRE(value);
  return std::move(*value);
}

} // namespace

TEST_CASE("an account is a document for servers and a page for people", "[documents]") {
  auto world = api_world{};
  const auto answer = world.ask_document("/users/alice");
  CHECK(answer.status == 200);
  CHECK(answer.content_type == activity_media_type);
  CHECK(header(answer, "Vary") == "Accept, Signature");
  CHECK(header(answer, "Cache-Control").starts_with("public"));
  const auto document = parsed(answer);
  CHECK(text(document, {"id"}) == alice);
  CHECK(text(document, {"publicKey", "publicKeyPem"}) == "KEY OF 1");
  CHECK(text(world.document("/@alice"), {"id"}) == alice);
  const auto page = world.ask({"/users/alice", {{"Accept", "text/html"}}});
  CHECK(page.status == 302);
  CHECK(header(page, "Location") == "https://example.org/@Alice");
  CHECK(header(page, "Vary") == "Accept, Signature");
  CHECK(world.ask({"/@alice", {{"Accept", "text/html"}}}).status == 200);
  CHECK(world.ask_document("/users/nobody").status == 404);
  CHECK(world.ask_document("/users/carol").status == 404);
  world.run("UPDATE account SET deleted_at = 1 WHERE id = 1");
  CHECK(world.ask_document("/users/alice").status == 410);
}

TEST_CASE("A25: the server's own actor is readable without a signature", "[documents]") {
  for (const auto authorized : {false, true}) {
    auto world = api_world{authorized};
    const auto document = world.document("/actor");
    CHECK(text(document, {"id"}) == "https://example.org/actor");
    CHECK(text(document, {"publicKey", "publicKeyPem"}) == "KEY OF 0");
    // Even a signature that nobody can check changes nothing.
    CHECK(world.ask_document("/actor", "away").status == 200);
  }
}

TEST_CASE("a post is a Note, and its activity a Create", "[documents]") {
  auto world = api_world{};
  const auto note = world.document("/users/alice/statuses/11");
  CHECK(text(note, {"type"}) == "Note");
  CHECK(text(note, {"id"}) == alice + "/statuses/11");
  CHECK(text(note, {"content"}) == "<p>SECRET 11</p>");
  CHECK(text(world.document("/@Alice/11"), {"id"}) == alice + "/statuses/11");
  const auto create = world.document("/users/alice/statuses/11/activity");
  CHECK(text(create, {"type"}) == "Create");
  CHECK(text(create, {"object", "id"}) == alice + "/statuses/11");
  const auto page = world.ask({"/users/alice/statuses/11", {}});
  CHECK(page.status == 302);
  CHECK(header(page, "Location") == "https://example.org/@Alice/11");
}

TEST_CASE("a boost is an Announce, and its address leads to what it boosts", "[documents]") {
  auto world = api_world{};
  world.run("INSERT INTO post(id, author, visibility, boost_of, created_at)"
            " VALUES (30, 2, 1, 11, 0), (31, 2, 3, 13, 0)");
  const auto announce = world.document("/users/bob/statuses/30/activity");
  CHECK(text(announce, {"type"}) == "Announce");
  CHECK(text(announce, {"object"}) == alice + "/statuses/11");
  const auto answer = world.ask_document("/users/bob/statuses/30");
  CHECK(answer.status == 302);
  CHECK(header(answer, "Location") == alice + "/statuses/11");
  for (const auto* path : {"/users/bob/statuses/31", "/users/bob/statuses/31/activity"})
    CHECK(world.ask_document(path).status == 404);
}

TEST_CASE("what was deleted leaves a Tombstone and nothing else", "[documents]") {
  auto world = api_world{};
  for (const auto* path : {"/users/Alice/statuses/15", "/users/Alice/statuses/15/activity"}) {
    const auto answer = world.ask_document(path);
    CHECK(answer.status == 410);
    const auto tombstone = parsed(answer);
    CHECK(text(tombstone, {"type"}) == "Tombstone");
    CHECK(text(tombstone, {"id"}) == alice + "/statuses/15");
    CHECK(tombstone.as_object()->size() == 3);
  }
}

TEST_CASE("A116: a post that is not public is given to a signer who may see it",
          "[documents][I7]") {
  auto world = api_world{};
  CHECK(text(world.document("/users/alice/statuses/13", carol), {"type"}) == "Note");
  CHECK(text(world.document("/users/alice/statuses/14", dave), {"type"}) == "Note");
  const auto nothing = world.ask_document("/users/alice/statuses/99");
  CHECK(nothing.status == 404);
  struct attempt {
    std::string path;
    std::string signer;
  };
  for (const auto& [path, signer] : std::vector<attempt>{{"/users/alice/statuses/13", ""},
                                                         {"/users/alice/statuses/13", dave},
                                                         {"/users/alice/statuses/13", eve},
                                                         {"/users/alice/statuses/13", "wrong"},
                                                         {"/users/alice/statuses/13", "gone"},
                                                         {"/users/alice/statuses/13", "malformed"},
                                                         {"/users/alice/statuses/14", ""},
                                                         {"/users/alice/statuses/14", carol},
                                                         {"/users/alice/statuses/11", eve}}) {
    CAPTURE(path, signer);
    const auto answer = world.ask_document(path, signer);
    CHECK(answer.status == 404);
    CHECK(answer.body == nothing.body);
    CHECK(answer.content_type == nothing.content_type);
  }
}

TEST_CASE("a signature that cannot be checked now is no reason to say that nothing is there",
          "[documents]") {
  auto world = api_world{};
  CHECK(world.ask_document("/users/alice/statuses/11", "away").status == 200);
  const auto hidden = world.ask_document("/users/alice/statuses/13", "away");
  const auto nothing = world.ask_document("/users/alice/statuses/99", "away");
  CHECK(hidden.status == 503);
  CHECK(hidden.body == nothing.body);
  CHECK(hidden.status == nothing.status);
}

TEST_CASE("A117: an answer to a signed request is for its sender alone", "[documents]") {
  auto world = api_world{};
  for (const auto* path : {"/users/alice/statuses/11", "/users/alice/outbox?page=true",
                           "/users/alice/followers", "/users/alice"}) {
    CAPTURE(path);
    const auto answer = world.ask_document(path, carol);
    CHECK(answer.status == 200);
    CHECK(header(answer, "Vary") == "Accept, Signature");
    CHECK(header(answer, "Cache-Control").starts_with("private"));
    CHECK(header(world.ask_document(path), "Cache-Control").starts_with("public"));
  }
}

TEST_CASE("A117: whom the account or the server blocks gets no collection", "[documents][I7]") {
  auto world = api_world{};
  world.run("INSERT INTO pin(account_id, post_id, at) VALUES (1, 11, 0)");
  for (const auto* path :
       {"/users/alice/outbox", "/users/alice/outbox?page=true", "/users/alice/followers?page=true",
        "/users/alice/following?page=true", "/users/alice/collections/featured"}) {
    CAPTURE(path);
    CHECK(world.ask_document(path, carol).status == 200);
    CHECK(world.ask_document(path, eve).status == 403);
    CHECK(world.ask_document(path, "forbidden").status == 403);
  }
  CHECK(world.ask_document("/users/alice/statuses/11", "forbidden").status == 403);
}

TEST_CASE("where signatures are required, strangers get nothing but keys and names",
          "[documents]") {
  auto world = api_world{true};
  for (const auto* path :
       {"/users/alice", "/@alice", "/users/alice/outbox", "/users/alice/followers",
        "/users/alice/following", "/users/alice/collections/featured", "/users/alice/statuses/11",
        "/@alice/11", "/users/alice/statuses/11/activity", "/users/alice/statuses/99",
        "/actor/outbox"}) {
    CAPTURE(path);
    CHECK(world.ask_document(path).status == 401);
    CHECK(world.ask_document(path, "wrong").status == 401);
    CHECK(world.ask_document(path, "gone").status == 401);
    CHECK(world.ask_document(path, "malformed").status == 401);
    CHECK(world.ask_document(path, "away").status == 503);
    CHECK(world.ask_document(path, "forbidden").status == 403);
    const auto answer = world.ask_document(path, carol);
    CHECK(answer.status == (std::string{path}.ends_with("99") ? 404 : 200));
    CHECK(header(answer, "Cache-Control").starts_with("private"));
  }
  for (const auto* path :
       {"/actor", "/.well-known/webfinger?resource=acct:alice@example.org",
        "/.well-known/host-meta", "/.well-known/nodeinfo", "/nodeinfo/2.0", "/nodeinfo/2.1"})
    CHECK(world.ask_document(path).status == 200);
  CHECK(world.ask({"/@alice", {{"Accept", "text/html"}}}).status == 200);
}

TEST_CASE("a node without keys or without a checker answers 503", "[documents]") {
  auto world = api_world{};
  world.services().signing = signing_handle{};
  world.services().signature_checker = signature_checker_handle{};
  CHECK(world.ask_document("/users/alice").status == 503);
  CHECK(world.ask_document("/actor").status == 503);
  CHECK(world.ask_document("/users/alice/statuses/11", carol).status == 503);
  CHECK(world.ask_document("/users/alice/statuses/11").status == 200);
}

TEST_CASE("a collection tells its size and leads to its pages", "[documents]") {
  auto world = api_world{};
  const auto outbox = world.document("/users/alice/outbox");
  CHECK(text(outbox, {"type"}) == "OrderedCollection");
  CHECK(text(outbox, {"id"}) == alice + "/outbox");
  CHECK(text(outbox, {"first"}) == alice + "/outbox?page=true");
  CHECK_FALSE(outbox.find("orderedItems"));
  const auto page = world.document("/users/alice/outbox?page=true");
  CHECK(text(page, {"type"}) == "OrderedCollectionPage");
  CHECK(text(page, {"id"}) == alice + "/outbox?page=true");
  CHECK(text(page, {"partOf"}) == alice + "/outbox");
  REQUIRE(page.find("orderedItems")->as_array()->size() == 2);
  CHECK(text(page.find("orderedItems")->as_array()->front(), {"type"}) == "Create");
  CHECK_FALSE(page.find("orderedItems")->as_array()->front().find("@context"));
  CHECK_FALSE(page.find("next"));
  const auto rest = world.document("/users/alice/outbox?max_id=12");
  CHECK(rest.find("orderedItems")->as_array()->size() == 1);
  CHECK(text(rest, {"id"}) == alice + "/outbox?max_id=12&page=true");
  CHECK(world.ask_document("/users/alice/outbox?max_id=x").status == 422);
  const auto followers = world.document("/users/alice/followers?page=1");
  CHECK(to_json(*followers.find("orderedItems")) == "[\"" + carol + "\"]");
  CHECK(to_json(*world.document("/users/alice/followers").find("totalItems")) == "1");
  CHECK(to_json(*world.document("/users/alice/following?page=true").find("orderedItems")) == "[]");
}

TEST_CASE("a long collection leads to its next page", "[documents]") {
  auto world = api_world{};
  for (auto id = 100; id < 145; ++id)
    world.run("INSERT INTO post(id, author, visibility, created_at) VALUES (" + std::to_string(id) +
              ", 1, 1, 0)");
  const auto page = world.document("/users/alice/outbox?page=true");
  CHECK(page.find("orderedItems")->as_array()->size() == 40);
  CHECK(text(page, {"next"}) == alice + "/outbox?max_id=105&page=true");
  const auto next = world.document("/users/alice/outbox?max_id=105&page=true");
  CHECK(next.find("orderedItems")->as_array()->size() == 7);
}

TEST_CASE("pinned posts are shown whole", "[documents]") {
  auto world = api_world{};
  world.run("INSERT INTO pin(account_id, post_id, at) VALUES (1, 11, 0), (1, 13, 1)");
  const auto featured = world.document("/users/alice/collections/featured", carol);
  CHECK(text(featured, {"type"}) == "OrderedCollection");
  REQUIRE(featured.find("orderedItems")->as_array()->size() == 1);
  CHECK(text(featured.find("orderedItems")->as_array()->front(), {"content"}) ==
        "<p>SECRET 11</p>");
}

TEST_CASE("inboxes are not read", "[documents]") {
  for (const auto& row : client_routes()) {
    const auto is_inbox = row.pattern == "/inbox" || row.pattern == "/users/{}/inbox";
    CHECK_FALSE((is_inbox && row.method == http_method::get));
  }
}
