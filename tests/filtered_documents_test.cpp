// What filters see of documents, and what they change in them.

#include "actors/filtered_documents.hpp"
#include "protocol/activity_out.hpp"
#include "protocol/safe_remote.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;

namespace {

using words = std::vector<std::string>;

const auto everybody = std::string{public_collection};
const auto followers = std::string{"https://e.example/users/eve/followers"};

json_value parsed(const std::string& text) {
  auto value = parse_json(text);
  REQUIRE(value);
  return std::move(*value);
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string note_with(const std::string& members) {
  return R"({"type":"Note","id":"https://e.example/n/1",)"
         R"("attributedTo":"https://e.example/users/eve",)" +
         members + "}";
}

struct arrived {
  json_value document;
  activity said;

  explicit arrived(const std::string& members)
      : document{parsed(R"({"id":"https://e.example/a/1","actor":"https://e.example/users/eve",)" +
                        members + "}")} {
    auto read = read_activity(document);
    REQUIRE(read);
    said = std::move(*read);
  }

  filtered_activity shown() const { return show_to_filters(document, said); }

  remote_note note() const {
    REQUIRE(said.inlined);
    auto read = read_note(*said.inlined);
    REQUIRE(read);
    return std::move(*read);
  }
};

arrived creates(const std::string& members, const std::string& beside = {}) {
  return arrived{R"("type":"Create",)" + beside + R"("object":)" + note_with(members)};
}

/// As a filter leaves it that changes something of what it was shown.
template <class Change>
gate_decision rewritten(const arrived& one, Change change) {
  auto decided = gate_decision{};
  decided.rewritten = true;
  decided.activity = one.shown();
  change(decided.activity);
  return decided;
}

gate_decision delisted() {
  auto decided = gate_decision{};
  decided.delisted = true;
  return decided;
}

} // namespace

TEST_CASE("the options of a poll are shown", "[filters][filtered_documents]") {
  const auto said =
      arrived{R"("type":"Create","object":{"type":"Question","id":"https://e.example/q/1",)"
              R"("attributedTo":"https://e.example/users/eve","content":"which?","oneOf":)"
              R"([{"type":"Note","name":"cats"},{"type":"Note","name":"casinos"}]})"};
  CHECK(said.shown().object_type == "Question");
  CHECK(said.shown().poll_options == words{"cats", "casinos"});
}

TEST_CASE("a post is shown as it was sent", "[filters][filtered_documents]") {
  const auto shown =
      creates(R"("content":"<b onclick='x'>hi</b>","contentMap":{"de":"<b onclick='x'>hi</b>"},)"
              R"("summary":"cw","sensitive":true,"inReplyTo":"https://v.example/n/0",)"
              R"("to":[)" +
              quoted(everybody) +
              R"(],"tag":[)"
              R"({"type":"Mention","href":"https://example.org/users/alice"},)"
              R"({"type":"Hashtag","name":"#Cats"}],)"
              R"("attachment":[{"type":"Image","url":"https://e.example/1.png"}])")
          .shown();
  CHECK(shown.id == "https://e.example/a/1");
  CHECK(shown.type == "Create");
  CHECK(shown.actor == "https://e.example/users/eve");
  CHECK(shown.object == "https://e.example/n/1");
  CHECK(shown.object_type == "Note");
  CHECK(shown.in_reply_to == "https://v.example/n/0");
  CHECK(shown.visibility == "public");
  CHECK(shown.mentions == words{"https://example.org/users/alice"});
  CHECK(shown.tags == words{"Cats"});
  CHECK(shown.attachments == words{"https://e.example/1.png"});
  CHECK(shown.content == "<b onclick='x'>hi</b>");
  CHECK(shown.summary == "cw");
  CHECK(shown.language == "de");
  CHECK(shown.sensitive);
}

TEST_CASE("the visibility is that of the recipients", "[filters][filtered_documents]") {
  const auto alice = std::string{"https://example.org/users/alice"};
  const auto seen = [&](const std::string& to, const std::string& cc) {
    return creates(R"("tag":[{"type":"Mention","href":")" + alice + R"("}],"to":[)" +
                   (to.empty() ? "" : quoted(to)) + R"(],"cc":[)" + (cc.empty() ? "" : quoted(cc)) +
                   "]")
        .shown()
        .visibility;
  };
  CHECK(seen(everybody, followers) == "public");
  CHECK(seen("as:Public", "") == "public");
  CHECK(seen(followers, everybody) == "unlisted");
  CHECK(seen(followers, "") == "private");
  CHECK(seen(alice, "") == "direct");
  CHECK(creates(R"("content":"x")", R"("to":)" + quoted(everybody) + ",").shown().visibility ==
        "public");
  CHECK(arrived{R"("type":"Follow","object":"https://example.org/users/alice")"}
            .shown()
            .visibility.empty());
  CHECK(arrived{R"("type":"Announce","object":"https://v.example/n/1","to":"as:Public")"}
            .shown()
            .visibility == "public");
}

TEST_CASE("of a report its comment is shown, and may be changed", "[filters][filtered_documents]") {
  auto flag = arrived{R"("type":"Flag","object":["https://example.org/users/alice"],)"
                      R"("content":"rude")"};
  CHECK(flag.shown().content == "rude");
  apply_decision(rewritten(flag, [](auto& what) { what.content = "***"; }), flag.said);
  CHECK(flag.said.content == "***");
}

TEST_CASE("what a filter writes replaces what was sent", "[filters][filtered_documents]") {
  auto post = creates(R"("content":"a","contentMap":{"de":"a"},"summary":"s",)"
                      R"("summaryMap":{"de":"s"},"sensitive":true,"name":"title")");
  apply_decision(rewritten(post,
                           [](auto& what) {
                             what.content = "<script>x</script><p>b</p>";
                             what.summary = "t";
                             what.language = "fr";
                             what.sensitive = false;
                             what.id = "https://v.example/a/forged";
                             what.object = "https://v.example/n/forged";
                           }),
                 post.said);
  auto note = post.note();
  CHECK(note.id == "https://e.example/n/1");
  CHECK(note.content == "<script>x</script><p>b</p>");
  CHECK(note.spoiler == "t");
  CHECK(note.language == "fr");
  CHECK_FALSE(note.sensitive);
  make_safe(note); // as every note before it is stored
  CHECK(note.content == "<p>b</p>");
  CHECK(post.said.id == "https://e.example/a/1");

  apply_decision(rewritten(post,
                           [](auto& what) {
                             what.content.clear();
                             what.summary.clear();
                             what.language.clear();
                           }),
                 post.said);
  note = post.note();
  CHECK(note.content.empty());
  CHECK(note.spoiler.empty());
  CHECK(note.language.empty());
  CHECK(note.title.empty()); // else it would be a vote
}

TEST_CASE("an article becomes what the filter wrote", "[filters][filtered_documents]") {
  auto post = arrived{R"("type":"Create","object":{"type":"Article","id":"https://e.example/n/1",)"
                      R"("attributedTo":"https://e.example/users/eve","name":"Title",)"
                      R"("content":"long"})"};
  CHECK(post.shown().content.find("Title") != std::string::npos);
  apply_decision(rewritten(post, [](auto& what) { what.content = "<p>short</p>"; }), post.said);
  CHECK(post.note().content == "<p>short</p>");
}

TEST_CASE("a vote has no words to change", "[filters][filtered_documents]") {
  auto vote = creates(R"("name":"yes","inReplyTo":"https://example.org/n/1")");
  apply_decision(rewritten(vote, [](auto& what) { what.content = "b"; }), vote.said);
  CHECK(vote.note().title == "yes");
  CHECK_FALSE(vote.note().has_content);
}

TEST_CASE("a mark makes a post sensitive", "[filters][filtered_documents]") {
  auto post = creates(R"("content":"a","sensitive":false)");
  auto decided = gate_decision{};
  decided.sensitive = true;
  apply_decision(decided, post.said);
  CHECK(post.note().sensitive);
  CHECK(post.note().content == "a");
}

TEST_CASE("delisted, a public post is an unlisted one", "[filters][filtered_documents]") {
  const auto spelled = GENERATE(as<std::string>{}, "as:Public", "Public", public_collection);
  CAPTURE(spelled);
  auto post = creates(R"("content":"a","to":[)" + quoted(spelled) + "," + quoted(followers) +
                          R"(],"cc":"https://example.org/users/alice")",
                      R"("to":[)" + quoted(spelled) + "],");
  apply_decision(delisted(), post.said);
  const auto note = post.note();
  CHECK(visibility_of(note.to, note.cc, followers) == visibility::unlisted);
  CHECK(note.to == words{followers});
  CHECK(note.cc == words{everybody, "https://example.org/users/alice"});
  CHECK(post.said.to.empty());
  CHECK(post.said.cc == words{everybody});

  for (const auto& to : {followers, std::string{"https://example.org/users/alice"}}) {
    auto closed = creates(R"("content":"a","to":)" + quoted(to));
    apply_decision(delisted(), closed.said);
    CHECK(closed.note().to == words{to});
    CHECK(closed.note().cc.empty());
  }
}

TEST_CASE("a delisted boost is an unlisted one", "[filters][filtered_documents]") {
  auto boost = arrived{R"("type":"Announce","object":"https://v.example/n/1","to":"as:Public",)"
                       R"("cc":)" +
                       quoted(followers)};
  apply_decision(delisted(), boost.said);
  CHECK(visibility_of(boost.said.to, boost.said.cc, followers) == visibility::unlisted);
}

TEST_CASE("what has passed unchanged is the same", "[filters][filtered_documents]") {
  auto post = creates(R"("content":"a","to":"as:Public")");
  const auto before = to_json(*post.said.inlined);
  apply_decision(gate_decision{}, post.said);
  CHECK(to_json(*post.said.inlined) == before);
}

TEST_CASE("a fetched post is shown as its author's Create", "[filters][filtered_documents]") {
  const auto note = read_note(parsed(note_with(R"("content":"a","to":"as:Public")")));
  REQUIRE(note);
  const auto shown = show_to_filters(*note);
  CHECK(shown.id.empty());
  CHECK(shown.type == "Create");
  CHECK(shown.actor == "https://e.example/users/eve");
  CHECK(shown.object == "https://e.example/n/1");
  CHECK(shown.visibility == "public");
}

TEST_CASE("a reason names the filter and its words", "[filters][filtered_documents]") {
  auto decided = gate_decision{};
  decided.reason = "no_spam: link: https://x.example";
  CHECK(reason_of(decided).filter == "no_spam");
  CHECK(reason_of(decided).words == "link: https://x.example");
}
