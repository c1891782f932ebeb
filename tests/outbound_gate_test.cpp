// What clients do, past the embedder's filters: refused before anything is stored, or changed.

#include "actors/messages.hpp"
#include "api/client_api.hpp"
#include "kit/scripted_gate.hpp"
#include "kit/test_node.hpp"
#include "protocol/crypto.hpp"
#include "protocol/names.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <optional>

using namespace trunkline;
using namespace trunkline::kit;

namespace {

using words = std::vector<std::string>;

/// Alice (1), Bob (2) and Vera (9) of v.example, on real accounts behind a gateway.
struct outbound_world : test_node {
  explicit outbound_world(std::shared_ptr<scripted_gate> gate = std::make_shared<scripted_gate>())
      : test_node{11}, filters{std::move(gate)} {
    add_account(account_id{1}, "Alice");
    add_account(account_id{2}, "bob");
    run("INSERT INTO host(id, scheme, name, port) VALUES (9, 'https', 'v.example', 443)");
    run("INSERT INTO account(id, host_id, name, folded, uri, created_at)"
        " VALUES (9, 9, 'vera', 'vera', 'https://v.example/users/vera', 0)");
    REQUIRE(db().run("INSERT INTO token(hash, account_id, scopes, created_at)"
                     " VALUES ($1, 1, 'read write follow', 0)",
                     {blob{sha256("Alice")}}));
    services = std::make_shared<api_services>(api_options{.domain = "example.org",
                                                          .url = "https://example.org",
                                                          .own_urls = urls_of("example.org"),
                                                          .version = "0.1.0",
                                                          .test_enabled = true},
                                              handles, actors.clock());
    services->accounts = caf::actor_cast<account_handle>(accounts);
    services->gate = filters;
    handler =
        enter({actors.spawn(gateway, services, client_flavour())}, services, client_flavour());
  }

  void run(const std::string& sql) { REQUIRE(db().run(sql)); }

  http_response send(http_method method, const std::string& path, const std::string& body = "{}",
                     const std::string& key = "") {
    auto answered = std::make_shared<std::optional<http_response>>();
    auto request = http_request{
        .method = method,
        .path = path,
        .headers = {{"Authorization", "Bearer Alice"}, {"Content-Type", "application/json"}},
        .body = body,
        .peer = "192.0.2.1"};
    if (!key.empty())
      request.headers.emplace_back("Idempotency-Key", key);
    handler(std::move(request), http_reply{[answered](http_response response) {
              answered->emplace(std::move(response));
            }});
    actors.settle();
    REQUIRE(answered->has_value());
    return std::move(**answered);
  }
  http_response post(const std::string& path, const std::string& body = "{}",
                     const std::string& key = "") {
    return send(http_method::post, path, body, key);
  }

  /// Posts past the filters, and returns the id.
  std::string posted(const std::string& text) {
    const auto kept = std::exchange(services->gate, nullptr);
    const auto answer = post("/api/v1/statuses", R"({"status":")" + text + "\"}");
    services->gate = kept;
    REQUIRE(answer.status == 200);
    return *parse_json(answer.body)->find("id")->as_string();
  }

  void refuse_all() {
    filters->decide = [](const filtered_activity&) { return refused_for("no_spam: three links"); };
  }

  std::string uri(const std::string& post) {
    return "https://example.org/users/Alice/statuses/" + post;
  }

  std::shared_ptr<scripted_gate> filters;
  api_services_ptr services;
  http_handler handler;
};

std::string member(const http_response& answer, const std::string& name) {
  const auto body = parse_json(answer.body);
  REQUIRE(body);
  const auto* value = body->find(name);
  return value && value->as_string() ? *value->as_string() : "";
}

void check_refused(const http_response& answer) {
  CHECK(answer.status == 422);
  CHECK(member(answer, "error") == "Validation failed: three links");
  CHECK(member(answer, "rejected_by") == "no_spam");
}

} // namespace

TEST_CASE_METHOD(outbound_world, "a new post is shown to the filters as it was typed",
                 "[filters][outbound_gate]") {
  const auto answered = posted("question");
  const auto answer = post(
      "/api/v1/statuses",
      R"({"status":"<b> @bob @vera@v.example #Cats","spoiler_text":"cw","visibility":"unlisted",)"
      R"("language":"de","in_reply_to_id":")" +
          answered + "\"}");
  CHECK(answer.status == 200);
  REQUIRE(filters->questions.size() == 1);
  const auto& [from, what] = filters->questions.front();
  CHECK(from.local);
  CHECK(from.host.empty());
  CHECK(from.actor == "https://example.org/users/Alice");
  CHECK(what.id.empty());
  CHECK(what.type == "Create");
  CHECK(what.actor == "https://example.org/users/Alice");
  CHECK(what.object.empty());
  CHECK(what.object_type == "Note");
  CHECK(what.in_reply_to == uri(answered));
  CHECK(what.visibility == "unlisted");
  CHECK(what.mentions == words{"bob", "vera@v.example"});
  CHECK(what.tags == words{"Cats"});
  CHECK(what.content == "<b> @bob @vera@v.example #Cats");
  CHECK(what.summary == "cw");
  CHECK(what.language == "de");
}

TEST_CASE_METHOD(outbound_world, "the options of a poll are shown to the filters",
                 "[filters][outbound_gate]") {
  CHECK(post("/api/v1/statuses",
             R"({"status":"which?","poll":{"options":["cats","casinos"],"expires_in":3600}})")
            .status == 200);
  REQUIRE(filters->questions.size() == 1);
  CHECK(filters->questions.front().what.object_type == "Question");
  CHECK(filters->questions.front().what.poll_options == words{"cats", "casinos"});
}

TEST_CASE_METHOD(outbound_world, "a refused post is not stored, and its key may be used again",
                 "[filters][outbound_gate]") {
  refuse_all();
  check_refused(post("/api/v1/statuses", R"({"status":"spam"})", "key"));
  CHECK(count("post") == 0);
  CHECK(count("log") == 0);
  filters->decide = [](const filtered_activity&) { return gate_decision{}; };
  const auto answer = post("/api/v1/statuses", R"({"status":"ham"})", "key");
  CHECK(answer.status == 200);
  CHECK(member(answer, "content") == "<p>ham</p>");
  CHECK(post("/api/v1/statuses", R"({"status":"ham"})", "key").status == 200);
  CHECK(count("post") == 1);
}

TEST_CASE_METHOD(outbound_world, "a filter that fails closed refuses for now",
                 "[filters][outbound_gate]") {
  filters->decide = [](const filtered_activity&) { return put_off(); };
  const auto answer = post("/api/v1/statuses", R"({"status":"x"})");
  CHECK(answer.status == 503);
  CHECK(member(answer, "rejected_by").empty());
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(outbound_world, "a post is stored as the filters have left it",
                 "[filters][outbound_gate]") {
  filters->decide = [](const filtered_activity& what) {
    auto changed = what;
    changed.content = "<script> clean";
    changed.summary = "cw";
    changed.language = "fr";
    auto decided = rewritten_to(changed);
    decided.delisted = true;
    decided.sensitive = true;
    return decided;
  };
  const auto answer = post("/api/v1/statuses", R"({"status":"dirty","visibility":"public"})");
  CHECK(answer.status == 200);
  CHECK(member(answer, "content") == "<p>&lt;script&gt; clean</p>");
  CHECK(member(answer, "spoiler_text") == "cw");
  CHECK(member(answer, "language") == "fr");
  CHECK(member(answer, "visibility") == "unlisted");
  CHECK(count("post WHERE sensitive = 1") == 1);
  CHECK(count("post WHERE text LIKE '%dirty%'") == 0);

  const auto direct = post("/api/v1/statuses", R"({"status":"dirty","visibility":"private"})");
  CHECK(member(direct, "visibility") == "private");
}

TEST_CASE_METHOD(outbound_world, "what a filter makes of a post obeys the limits of posts",
                 "[filters][outbound_gate]") {
  filters->decide = [](const filtered_activity& what) {
    auto changed = what;
    changed.content = std::string(501, 'x');
    return rewritten_to(changed);
  };
  CHECK(post("/api/v1/statuses", R"({"status":"short"})").status == 422);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(outbound_world, "an edit passes the filters", "[filters][outbound_gate]") {
  const auto id = posted("first");
  refuse_all();
  check_refused(send(http_method::put, "/api/v1/statuses/" + id, R"({"status":"spam"})"));
  CHECK(count("post WHERE text = 'first'") == 1);
  CHECK(filters->questions.front().what.type == "Update");
  CHECK(filters->questions.front().what.object == uri(id));
  CHECK(filters->questions.front().what.content == "spam");
  filters->decide = [](const filtered_activity& what) {
    auto changed = what;
    changed.content = "clean";
    return rewritten_to(changed);
  };
  CHECK(send(http_method::put, "/api/v1/statuses/" + id, R"({"status":"dirty"})").status == 200);
  CHECK(count("post WHERE text = 'clean'") == 1);
  filters->decide = [](const filtered_activity&) {
    auto decided = gate_decision{};
    decided.delisted = true;
    return decided;
  };
  const auto delisted = send(http_method::put, "/api/v1/statuses/" + id, R"({"status":"again"})");
  CHECK(member(delisted, "visibility") == "public"); // what an edit cannot change
}

TEST_CASE_METHOD(outbound_world, "a boost passes the filters", "[filters][outbound_gate]") {
  const auto id = posted("first");
  refuse_all();
  check_refused(post("/api/v1/statuses/" + id + "/reblog"));
  CHECK(count("post") == 1);
  CHECK(filters->questions.front().what.type == "Announce");
  CHECK(filters->questions.front().what.object == uri(id));
  CHECK(filters->questions.front().what.visibility == "public");
  filters->decide = [](const filtered_activity&) {
    auto decided = gate_decision{};
    decided.delisted = true;
    return decided;
  };
  CHECK(member(post("/api/v1/statuses/" + id + "/reblog"), "visibility") == "unlisted");
}

TEST_CASE_METHOD(outbound_world, "a favourite passes the filters", "[filters][outbound_gate]") {
  const auto id = posted("first");
  refuse_all();
  check_refused(post("/api/v1/statuses/" + id + "/favourite"));
  CHECK(count("favourite") == 0);
  CHECK(filters->questions.front().what.type == "Like");
  CHECK(filters->questions.front().what.object == uri(id));
  CHECK(post("/api/v1/statuses/" + id + "/bookmark").status == 200); // stays here
  filters->decide = [](const filtered_activity&) { return gate_decision{}; };
  CHECK(post("/api/v1/statuses/" + id + "/favourite").status == 200);
  CHECK(count("favourite") == 1);
}

TEST_CASE_METHOD(outbound_world, "a follow passes the filters", "[filters][outbound_gate]") {
  refuse_all();
  check_refused(post("/api/v1/accounts/9/follow"));
  CHECK(count("follow") == 0);
  CHECK(count("log") == 0);
  CHECK(filters->questions.front().what.type == "Follow");
  CHECK(filters->questions.front().what.object == "https://v.example/users/vera");
  filters->decide = [](const filtered_activity&) { return gate_decision{}; };
  CHECK(post("/api/v1/accounts/2/follow").status == 200);
  CHECK(count("follow") == 1);
}

TEST_CASE_METHOD(outbound_world, "what ends something is shown to nobody",
                 "[filters][outbound_gate]") {
  const auto id = posted("first");
  refuse_all();
  CHECK(post("/api/v1/statuses/" + id + "/unreblog").status == 200);
  CHECK(post("/api/v1/statuses/" + id + "/unfavourite").status == 200);
  CHECK(post("/api/v1/accounts/2/unfollow").status == 200);
  CHECK(send(http_method::del, "/api/v1/statuses/" + id).status == 200);
  CHECK(filters->questions.empty());
}
