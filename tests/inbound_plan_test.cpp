// What is fetched before an activity is applied, and what is not.

#include "actors/inbound_plan.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;

namespace {

const auto eve = std::string{"https://e.example/users/eve"};
const auto e_example = host_address{.scheme = "https", .name = "e.example", .port = 443};

inbound_plan planned(const std::string& rest, const std::string& actor = eve) {
  const auto document =
      parse_json(R"({"id":"https://e.example/a/1","actor":")" + actor + R"(",)" + rest + "}");
  REQUIRE(document);
  const auto said = read_activity(*document);
  REQUIRE(said);
  return plan_inbound(*said, eve, {.own_origin = "https://example.org", .sender = e_example});
}

/// One fetch in words: "account! https://...", where '!' is a refresh, '?' what is not essential,
/// '&' what is done for those who are followed alone, and '>' what lies elsewhere.
std::string words_of(const inbound_fetch& fetch) {
  const auto mark = [&](bool refresh) {
    return std::string{refresh ? "!" : ""} + (fetch.is_essential ? "" : "?") +
           (fetch.if_followed ? "&" : "") + (fetch.is_elsewhere ? "> " : " ");
  };
  if (const auto* account = std::get_if<resolve_account>(&fetch.wanted))
    return "account" + mark(account->refresh) + account->address;
  const auto& post = std::get<resolve_post>(fetch.wanted);
  return "post" + mark(post.refresh) + post.url;
}

std::vector<std::string> words_of(const inbound_plan& plan) {
  auto words = std::vector<std::string>{};
  for (const auto& fetch : plan.fetches)
    words.push_back(words_of(fetch));
  return words;
}

} // namespace

TEST_CASE("an activity's actor and what it names are fetched first", "[inbound_plan]") {
  struct plan_row {
    const char* said;
    std::vector<std::string> fetches;
  };
  const auto me = "account " + eve;
  const auto rows = std::vector<plan_row>{
      {R"("type":"Follow","object":"https://example.org/users/alice")", {me}},
      {R"("type":"Like","object":"https://example.org/users/alice/statuses/1")", {me}},
      {R"("type":"Block","object":"https://example.org/users/alice")", {me}},
      {R"("type":"Flag","object":["https://example.org/users/alice"])", {me}},
      {R"("type":"Create","object":{"id":"https://e.example/n/1","type":"Note"})", {me}},
      {R"("type":"Create","object":"https://e.example/n/1")", {me, "post& https://e.example/n/1"}},
      {R"("type":"Create","object":{"id":"https://e.example/n/1","inReplyTo":"https://e.example/n/0"})",
       {me, "post?& https://e.example/n/0"}},
      {R"("type":"Create","object":{"id":"https://e.example/n/1","inReplyTo":"https://v.example/n/0"})",
       {me, "post?&> https://v.example/n/0"}},
      {R"("type":"Create","object":{"id":"https://e.example/n/1","inReplyTo":"https://example.org/users/alice/statuses/1"})",
       {me}},
      {R"("type":"Update","object":{"id":"https://e.example/users/eve","type":"Person"})",
       {"account! " + eve}},
      {R"("type":"Create","to":["https://example.org/users/alice"],"object":{"id":"https://e.example/n/1","inReplyTo":"https://v.example/n/0"})",
       {me, "post?> https://v.example/n/0"}},
      {R"("type":"Create","cc":"https://example.org/users/alice","object":"https://e.example/n/1")",
       {me, "post https://e.example/n/1"}},
      {R"("type":"Update","object":{"id":"https://e.example/n/1","type":"Note"})", {me}},
      {R"("type":"Update","object":"https://e.example/n/1")", {me, "post!& https://e.example/n/1"}},
      {R"("type":"Announce","object":"https://v.example/n/1")",
       {me, "post&> https://v.example/n/1"}},
      {R"("type":"Announce","object":"https://e.example/n/1")",
       {me, "post& https://e.example/n/1"}},
      // A group's: the post that was created.
      {R"("type":"Announce","object":{"type":"Create","id":"https://v.example/a/1","object":{"id":"https://v.example/n/1"}})",
       {me, "post&> https://v.example/n/1"}},
      {R"("type":"Announce","object":{"type":"Update","id":"https://v.example/a/1","object":{"id":"https://v.example/n/1"}})",
       {me, "post!?&> https://v.example/n/1"}},
      {R"("type":"Announce","object":{"type":"Delete","id":"https://v.example/a/1","object":"https://v.example/n/1"})",
       {me, "post!?&> https://v.example/n/1"}},
      {R"("type":"Announce","object":{"type":"Like","id":"https://v.example/a/1","object":"https://v.example/n/1"})",
       {me}},
      {R"("type":"Announce","object":{"type":"Undo","id":"https://v.example/a/1","object":{"type":"Like","id":"https://v.example/a/0"}})",
       {me}},
      {R"("type":"Announce","object":{"type":"Note","id":"https://v.example/n/1"})",
       {me, "post&> https://v.example/n/1"}},
      {R"("type":"Announce","object":"https://example.org/users/alice/statuses/1")", {me}},
      {R"("type":"Add","object":"https://e.example/n/1","target":"https://e.example/featured")",
       {me, "post& https://e.example/n/1"}},
      {R"("type":"Move","object":"https://e.example/users/eve","target":"https://v.example/eve")",
       {me, "account!&> https://v.example/eve"}},
      {R"("type":"Move","object":"https://e.example/users/eve","target":"https://example.org/users/eve")",
       {me}},
      // Nothing of somebody unknown can be undone.
      {R"("type":"Delete","object":"https://e.example/users/eve")", {}},
      {R"("type":"Delete","object":"https://e.example/n/1")", {}},
      {R"("type":"Undo","object":"https://e.example/f/1")", {}},
      {R"("type":"Accept","object":"https://example.org/f/1")", {}},
      {R"("type":"Reject","object":"https://example.org/f/1")", {}},
      {R"("type":"Remove","object":"https://e.example/n/1")", {}},
      {R"("type":"Zzz","object":"https://e.example/n/1")", {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.said);
    const auto plan = planned(row.said);
    CHECK(words_of(plan) == row.fetches);
    CHECK(plan.is_applied);
  }
}

TEST_CASE("A36: of a hint the object alone is fetched, from its own server",
          "[inbound_plan][A36]") {
  const auto victim = std::string{"https://v.example/users/victor"};
  struct hint_row {
    const char* said;
    std::string fetch;
  };
  const auto rows = std::vector<hint_row>{
      {R"("type":"Create","object":{"id":"https://v.example/n/1","inReplyTo":"https://c.example/1"})",
       "post&> https://v.example/n/1"},
      {R"("type":"Update","object":{"id":"https://v.example/n/1"})",
       "post!&> https://v.example/n/1"},
      {R"("type":"Delete","object":"https://v.example/n/1")", "post!&> https://v.example/n/1"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.said);
    const auto plan = planned(row.said, victim);
    CHECK(words_of(plan) == std::vector{row.fetch});
    CHECK_FALSE(plan.is_applied);
  }
}

TEST_CASE("A17: what is no address of a server is not asked for", "[inbound_plan][A17]") {
  for (const auto* parent : {"data:text/plain,x", "file:///etc/passwd", "/n/0", "acct:a@v.example",
                             "https://v.example:22/n/0"}) {
    CAPTURE(parent);
    const auto plan =
        planned(R"("type":"Create","object":{"id":"https://e.example/n/1","inReplyTo":")" +
                std::string{parent} + R"("})");
    CHECK(words_of(plan) == std::vector{"account " + eve});
  }
}
