// Whose word is believed about what: one table, numbered as the attacks are.

#include "protocol/activity_rules.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace trunkline;

namespace {

const auto own = std::string{"https://example.org"};
const auto eve = std::string{"https://e.example/users/eve"};
const auto victim = std::string{"https://v.example/users/victor"};

/// Words for the verdicts, for readable failures.
std::string judged(const std::string& text, const std::string& signer) {
  const auto document = parse_json(text);
  REQUIRE(document);
  const auto said = read_activity(*document);
  REQUIRE(said);
  const auto verdict = judge_activity(*said, signer, own);
  CHECK((verdict.verdict == activity_verdict::apply) == verdict.reason.empty());
  switch (verdict.verdict) {
  case activity_verdict::apply:
    return "apply";
  case activity_verdict::fetch:
    return "fetch";
  case activity_verdict::ignore:
    return "ignore";
  case activity_verdict::refuse:
    return "refuse";
  }
  return "?";
}

struct judged_row {
  const char* name;
  const char* type;
  const char* rest; ///< Members besides type, id and actor.
  const char* verdict;
};

/// As Eve says it, with a signature of Eve's.
std::string by_eve(const judged_row& row) {
  return std::string{R"({"type":")"} + row.type +
         R"(","id":"https://e.example/a/1","actor":"https://e.example/users/eve",)" + row.rest +
         "}";
}

} // namespace

TEST_CASE("A37 to A57: one is believed about what is one's own", "[activity_rules]") {
  const auto rows = std::vector<judged_row>{
      {"a note of one's own", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":"https://e.example/users/eve"})",
       "apply"},
      {"a note by its id", "Create", R"("object":"https://e.example/n/1")", "apply"},
      {"A37: the note's id is on another server", "Create",
       R"("object":{"id":"https://v.example/n/1","type":"Note","attributedTo":"https://e.example/users/eve"})",
       "refuse"},
      {"A37: by its id alone", "Create", R"("object":"https://v.example/n/1")", "refuse"},
      {"A37: another port is another server", "Create", R"("object":"https://e.example:8443/n/1")",
       "refuse"},
      {"A37: a host that begins alike", "Create", R"("object":"https://e.example.net/n/1")",
       "refuse"},
      {"A38: of somebody else of the same host", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":"https://e.example/users/ann"})",
       "refuse"},
      {"A39: of both", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":["https://e.example/users/eve","https://v.example/users/victor"]})",
       "refuse"},
      {"A39: of both, the other way round", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":["https://v.example/users/victor","https://e.example/users/eve"]})",
       "refuse"},
      {"A39: of one in a list", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":["https://e.example/users/eve"]})",
       "apply"},
      {"A39: of one who is an object", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":{"id":"https://e.example/users/eve"}})",
       "apply"},
      {"A39: of one, beside the group of PeerTube's channel", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Video","attributedTo":[{"type":"Person","id":"https://e.example/users/eve"},{"type":"Group","id":"https://e.example/c/1"}]})",
       "apply"},
      {"A39: of another person beside the group", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Video","attributedTo":[{"type":"Person","id":"https://e.example/users/ann"},{"type":"Group","id":"https://e.example/users/eve"}]})",
       "refuse"},
      {"A39: of nobody", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":null})", "refuse"},
      {"A39: of a number", "Create",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":7})", "refuse"},
      {"A45: a note with an id of ours", "Create",
       R"("object":{"id":"https://example.org/users/alice/statuses/1","type":"Note","attributedTo":"https://e.example/users/eve"})",
       "refuse"},
      {"A83: a note without an id", "Create", R"("object":{"type":"Note"})", "ignore"},
      {"A83: no object", "Create", R"("object":null)", "ignore"},
      {"A83: an unknown type", "Zzz", R"("object":"https://e.example/n/1")", "ignore"},
      {"A46: another's note of the same host", "Update",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":"https://e.example/users/ann"})",
       "refuse"},
      {"A46: a note of another host", "Update",
       R"("object":{"id":"https://v.example/n/1","type":"Note","attributedTo":"https://e.example/users/eve"})",
       "refuse"},
      {"a note of one's own, edited", "Update",
       R"("object":{"id":"https://e.example/n/1","type":"Note","attributedTo":"https://e.example/users/eve"})",
       "apply"},
      {"oneself", "Update", R"("object":{"id":"https://e.example/users/eve","type":"Person"})",
       "apply"},
      {"oneself by id", "Update", R"("object":"https://e.example/users/eve")", "apply"},
      {"A47: another actor of the same host", "Update",
       R"("object":{"id":"https://e.example/users/ann","type":"Person"})", "refuse"},
      {"a note of one's own, deleted", "Delete", R"("object":"https://e.example/n/1")", "apply"},
      {"its tombstone", "Delete", R"("object":{"id":"https://e.example/n/1","type":"Tombstone"})",
       "apply"},
      {"oneself, deleted", "Delete", R"("object":"https://e.example/users/eve")", "apply"},
      {"A49: a note of another", "Delete", R"("object":"https://v.example/n/1")", "refuse"},
      {"A49: another actor", "Delete", R"("object":"https://v.example/users/victor")", "refuse"},
      {"A49: a note of ours", "Delete", R"("object":"https://example.org/users/alice/statuses/1")",
       "refuse"},
      {"a follow of ours", "Follow", R"("object":"https://example.org/users/alice")", "apply"},
      {"a follow of somebody else", "Follow", R"("object":"https://v.example/users/victor")",
       "ignore"},
      {"a block of ours", "Block", R"("object":"https://example.org/users/alice")", "apply"},
      {"A50: an answer to a follow of ours", "Accept",
       R"("object":"https://example.org/users/alice#follow/1")", "apply"},
      {"A50: sent along, with any id", "Accept",
       R"("object":{"id":"https://e.example/f/1","type":"Follow","actor":"https://example.org/users/alice"})",
       "apply"},
      {"A50: an answer to another's follow", "Accept",
       R"("object":{"id":"https://v.example/f/1","type":"Follow","actor":"https://v.example/users/victor"})",
       "ignore"},
      {"A50: a refusal likewise", "Reject", R"("object":"https://v.example/f/1")", "ignore"},
      {"what one has done oneself", "Undo",
       R"("object":{"id":"https://e.example/f/1","type":"Follow","actor":"https://e.example/users/eve","object":"https://example.org/users/alice"})",
       "apply"},
      {"likewise by its id", "Undo", R"("object":"https://e.example/f/1")", "apply"},
      {"likewise without one", "Undo",
       R"("object":{"type":"Like","actor":"https://e.example/users/eve","object":"https://example.org/users/alice/statuses/1"})",
       "apply"},
      {"A49: what another has done", "Undo",
       R"("object":{"id":"https://v.example/f/1","type":"Follow","actor":"https://v.example/users/victor","object":"https://example.org/users/alice"})",
       "refuse"},
      {"A49: another of the same host", "Undo",
       R"("object":{"id":"https://e.example/f/1","type":"Follow","actor":"https://e.example/users/ann"})",
       "refuse"},
      {"A49: another's actor under an own id", "Undo",
       R"("object":{"id":"https://e.example/f/1","type":"Block","actor":"https://v.example/users/victor"})",
       "refuse"},
      {"A49: another's by its id", "Undo", R"("object":"https://v.example/f/1")", "refuse"},
      {"a like of ours", "Like", R"("object":"https://example.org/users/alice/statuses/1")",
       "apply"},
      {"a like of another's", "Like", R"("object":"https://v.example/n/1")", "ignore"},
      {"A52: a boost of anything; what is sent along is not looked at", "Announce",
       R"("object":{"id":"https://v.example/n/1","type":"Note","attributedTo":"https://v.example/users/victor"})",
       "apply"},
      {"a report on ours", "Flag",
       R"("object":["https://e.example/n/1","https://example.org/users/alice"],"content":"x")",
       "apply"},
      {"a report on others", "Flag", R"("object":["https://v.example/users/victor"])", "ignore"},
      {"A53: into one's own collection", "Add",
       R"("object":"https://e.example/n/1","target":"https://e.example/users/eve/featured")",
       "apply"},
      {"A53: into another's", "Add",
       R"("object":"https://e.example/n/1","target":"https://v.example/users/victor/featured")",
       "refuse"},
      {"A53: out of another's", "Remove",
       R"("object":"https://v.example/n/1","target":"https://v.example/users/victor/featured")",
       "refuse"},
      {"A54: oneself", "Move",
       R"("object":"https://e.example/users/eve","target":"https://v.example/users/eve")", "apply"},
      {"A54: another", "Move",
       R"("object":"https://v.example/users/victor","target":"https://e.example/users/eve")",
       "refuse"},
      {"A54: nowhere", "Move", R"("object":"https://e.example/users/eve")", "ignore"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name, row.type);
    CHECK(judged(by_eve(row), eve) == row.verdict);
  }
}

TEST_CASE("an activity's own id lies where its actor does", "[activity_rules]") {
  const auto with_id = [](const std::string& id) {
    return R"({"type":"Follow","id":)" + id +
           R"(,"actor":"https://e.example/users/eve","object":"https://example.org/users/alice"})";
  };
  CHECK(judged(with_id(R"("https://e.example/f/1")"), eve) == "apply");
  CHECK(judged(with_id(R"("https://v.example/f/1")"), eve) == "refuse");
  CHECK(judged(with_id(R"("https://example.org/f/1")"), eve) == "refuse");
  CHECK(judged(with_id("null"), eve) == "apply"); // known by its body
  CHECK(judged(with_id("7"), eve) == "apply");
  CHECK(judged(with_id(R"("/f/1")"), eve) == "apply");
}

TEST_CASE("A10, A36: another's word is a hint at most", "[activity_rules][A36]") {
  struct forwarded_row {
    const char* text;
    const char* verdict;
  };
  const auto rows = std::vector<forwarded_row>{
      {R"("type":"Create","object":{"id":"https://v.example/n/1","type":"Note","attributedTo":"https://v.example/users/victor"})",
       "fetch"},
      {R"("type":"Update","object":{"id":"https://v.example/n/1","type":"Note"})", "fetch"},
      {R"("type":"Delete","object":"https://v.example/n/1")", "fetch"},
      // A26: nobody's end is told by another, or by a key of another.
      {R"("type":"Delete","object":"https://v.example/users/victor")", "ignore"},
      {R"("type":"Update","object":"https://v.example/users/victor")", "ignore"},
      {R"("type":"Create","object":"https://e.example/n/1")", "ignore"},
      {R"("type":"Create","object":"https://example.org/users/alice/statuses/1")", "ignore"},
      {R"("type":"Create","object":null)", "ignore"},
      {R"("type":"Follow","object":"https://example.org/users/alice")", "refuse"},
      {R"("type":"Like","object":"https://example.org/users/alice/statuses/1")", "refuse"},
      {R"("type":"Announce","object":"https://v.example/n/1")", "refuse"},
      {R"("type":"Undo","object":"https://v.example/f/1")", "refuse"},
      {R"("type":"Block","object":"https://example.org/users/alice")", "refuse"},
      {R"("type":"Flag","object":"https://example.org/users/alice")", "refuse"},
      {R"("type":"Accept","object":"https://example.org/users/alice#follow/1")", "refuse"},
      {R"("type":"Move","object":"https://v.example/users/victor","target":"https://e.example/e")",
       "refuse"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto text = R"({"id":"https://v.example/a/1","actor":"https://v.example/users/victor",)" +
                      std::string{row.text} + "}";
    CHECK(judged(text, eve) == row.verdict);
    // Another of the actor's own server is another all the same.
    CHECK(judged(text, "https://v.example/users/vera") == row.verdict);
  }
}

TEST_CASE("nobody speaks for accounts of ours", "[activity_rules]") {
  const auto text = std::string{
      R"({"type":"Create","actor":"https://example.org/users/alice","object":"https://example.org/users/alice/statuses/1"})"};
  CHECK(judged(text, eve) == "refuse");
  CHECK(judged(text, "https://example.org/users/alice") == "refuse");
}

TEST_CASE("a farewell is a Delete of oneself", "[activity_rules]") {
  const auto said = [](const char* type, const std::string& object) {
    auto made = activity{};
    made.type = std::string_view{type} == "Delete" ? activity_type::remove : activity_type::update;
    made.actor = eve;
    made.object = object;
    return made;
  };
  CHECK(is_farewell(said("Delete", eve)));
  CHECK_FALSE(is_farewell(said("Update", eve)));
  CHECK_FALSE(is_farewell(said("Delete", victim)));
}

TEST_CASE("an id is ours by its origin, however it is written", "[activity_rules]") {
  CHECK(is_own_id("https://example.org/users/alice", own));
  CHECK(is_own_id("https://EXAMPLE.org:443/users/alice", own));
  CHECK_FALSE(is_own_id("http://example.org/users/alice", own));
  CHECK_FALSE(is_own_id("https://example.org.e.example/users/alice", own));
  CHECK_FALSE(is_own_id("https://example.org:8443/users/alice", own));
  CHECK_FALSE(is_own_id("", own));
  CHECK(is_own_id("http://127.0.0.1:9002/users/bob", "http://127.0.0.1:9002"));
}
