// A112, A116: what a post's author shows to some is, for everybody else and by every route,
// what was never there. The routes come from the table: a new one is tested as soon as it is there.

#include "kit/api_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace trunkline;
using kit::api_world;

namespace {

/// Who asks, as a client and as another server: none of them is named in a post, and none follows
/// Alice (any more).
struct onlooker {
  std::string name;
  std::string token;  ///< "" for none.
  std::string signer; ///< "" for none.
  bool is_blocked = false;
};

const auto onlookers = std::vector<onlooker>{
    {"anonymous", "", ""},
    {"stranger", "bob", "https://s.example/users/sam"},
    {"blocked", "mallory", "https://e.example/users/eve", true},
    {"ex-follower", "grace", "https://f.example/users/frank"},
};

struct kind_of_post {
  std::string name;
  int id;
  bool is_public = false;
};

const auto posts = std::vector<kind_of_post>{
    {"public", 11, true}, {"unlisted", 12, true}, {"private", 13}, {"direct", 14}, {"deleted", 15}};

constexpr auto never_made = 99;
constexpr auto deleted = 15;

/// Tells whether a route's address has the id of a post: the segment after "statuses", or the
/// second below a profile page.
bool has_post_id(const route& row) {
  return row.method == http_method::get &&
         (row.pattern.find("/statuses/{}") != std::string_view::npos || row.pattern == "/@{}/{}");
}

bool is_document(const route& row) {
  return row.pattern.starts_with("/users/") || row.pattern.starts_with("/@");
}

/// Alice in the place of a name, the post in the place of its id.
std::string path_of(const route& row, int post) {
  auto path = std::string{};
  auto rest = row.pattern;
  for (auto hole = rest.find("{}"); hole != std::string_view::npos; hole = rest.find("{}")) {
    const auto before = rest.substr(0, hole);
    const auto is_name = before.ends_with("/users/") || before.ends_with("/@");
    path.append(before).append(is_name ? "Alice" : std::to_string(post));
    rest.remove_prefix(hole + 2);
  }
  return path.append(rest);
}

http_headers headers_of(const onlooker& who, bool as_server) {
  auto headers = http_headers{{"Accept", as_server ? "application/activity+json" : "*/*"}};
  if (as_server && !who.signer.empty())
    headers.emplace_back("Signature", who.signer);
  if (!as_server && !who.token.empty())
    headers.emplace_back("Authorization", "Bearer " + who.token);
  return headers;
}

/// Everything that tells two answers apart, but for what counts requests.
std::string looks_of(const http_response& response) {
  auto looks = std::to_string(response.status) + "\n" + response.content_type + "\n";
  for (const auto& [name, value] : response.headers)
    if (!name.starts_with("X-RateLimit"))
      looks += name + ": " + value + "\n";
  return looks + response.body;
}

struct visibility_world : api_world {
  visibility_world() {
    run("INSERT INTO account(id, name, folded, uri, created_at)"
        " VALUES (8, 'grace', 'grace', 'https://example.org/users/grace', 0)");
    add_token("grace", 8);
    add_token("alice", 1);
    run("INSERT INTO pin(account_id, post_id, at) VALUES (1, 11, 0), (1, 13, 0), (1, 14, 0)");
    run("UPDATE post SET reply_to = 11, reply_author = 1 WHERE id IN (13, 14)");
  }

  http_response ask_as(const onlooker& who, const std::string& path, bool as_server) {
    return ask({path, headers_of(who, as_server)});
  }
};

} // namespace

TEST_CASE("A116: what one may not see is nowhere, by every route with the id of a post",
          "[visibility][I7]") {
  auto world = visibility_world{};
  auto routes = 0;
  for (const auto& row : client_routes()) {
    if (!has_post_id(row))
      continue;
    ++routes;
    for (const auto as_server : {false, true})
      for (const auto& who : onlookers)
        for (const auto& post : posts) {
          if (as_server && !is_document(row))
            continue;
          CAPTURE(row.pattern, as_server, who.name, post.name);
          const auto shown = world.ask_as(who, path_of(row, post.id), as_server);
          const auto nothing = world.ask_as(who, path_of(row, never_made), as_server);
          REQUIRE((nothing.status == 404 || (nothing.status == 401 && who.token.empty())));
          // A page for people knows nobody, whatever he shows.
          const auto is_page = is_document(row) && !as_server;
          const auto may_see = post.is_public && (is_page || !who.is_blocked);
          if (as_server && post.id == deleted) {
            CHECK(shown.status == 410);
            CHECK(shown.body.find("SECRET") == std::string::npos);
          } else if (!may_see || nothing.status == 401) {
            CHECK(looks_of(shown) == looks_of(nothing));
          } else {
            CHECK((shown.status == 200 || shown.status == 302));
          }
        }
  }
  CHECK(routes >= 7);
}

TEST_CASE("A116: who may see a post gets it by every route with its id", "[visibility]") {
  auto world = visibility_world{};
  const auto author = onlooker{"author", "alice", ""};
  const auto follower = onlooker{"follower", "", "https://r.example/users/carol"};
  for (const auto& row : client_routes()) {
    if (!has_post_id(row))
      continue;
    CAPTURE(row.pattern);
    const auto answer = is_document(row) ? world.ask_as(follower, path_of(row, 13), true)
                                         : world.ask_as(author, path_of(row, 13), false);
    CHECK(answer.status == 200);
  }
}

TEST_CASE("A116: no list, thread, collection or page holds what one may not see",
          "[visibility][I7]") {
  auto world = visibility_world{};
  const auto lists = std::vector<std::string>{"/api/v1/statuses?id[]=11&id[]=13&id[]=14&id[]=15",
                                              "/api/v1/accounts/1/statuses",
                                              "/api/v1/accounts/1/statuses?pinned=true",
                                              "/api/v1/statuses/11/context",
                                              "/users/Alice/outbox?page=true",
                                              "/users/Alice/collections/featured",
                                              "/@Alice",
                                              "/users/Alice",
                                              "/users/Alice/outbox?max_id=99"};
  for (const auto& path : lists)
    for (const auto& who : onlookers)
      for (const auto as_server : {false, true}) {
        CAPTURE(path, who.name, as_server);
        const auto answer = world.ask_as(who, path, as_server);
        CHECK(answer.body.find("SECRET 13") == std::string::npos);
        CHECK(answer.body.find("SECRET 14") == std::string::npos);
        CHECK(answer.body.find("SECRET 15") == std::string::npos);
        if (who.is_blocked && as_server && path.starts_with("/users/Alice/"))
          CHECK(answer.body.find("SECRET") == std::string::npos);
      }
}

TEST_CASE("A112: no spelling of a path shows more than the path", "[visibility][I7]") {
  auto world = visibility_world{};
  for (const std::string id : {"13", "14", "15"})
    for (const auto& path :
         {"/users/Alice/statuses/" + id + ".json", "/users/Alice/statuses/" + id + "/",
          "//users/Alice/statuses/" + id, "/users//Alice/statuses/" + id,
          "/users/Alice%2Fstatuses%2F" + id, "/users/alice/statuses/%31" + id.substr(1),
          "/USERS/Alice/statuses/" + id, "/users/ALICE/statuses/0" + id,
          "/users/Alice/statuses/" + id + "%00", "/users/bob/statuses/" + id,
          "/users/Alice/statuses/" + id + "/activity/", "/api/v1/statuses/" + id + ".json",
          "/api/v1/statuses/" + id + "/", "/api//v1/statuses/" + id, "/@bob/" + id,
          "/@alice%2F" + id, "/users/../users/Alice/statuses/" + id})
      for (const auto method : {http_method::get, http_method::head})
        for (const auto as_server : {false, true}) {
          CAPTURE(path, as_server);
          auto headers = headers_of(onlookers.front(), as_server);
          headers.emplace_back("X-HTTP-Method-Override", "DELETE");
          const auto answer = world.ask({path, headers, method});
          CHECK((answer.status == 404 || (answer.status == 410 && id == "15")));
          CHECK(answer.body.find("SECRET") == std::string::npos);
        }
}
