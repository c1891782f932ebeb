// What the embedder's filters decide of posts that are fetched.

#include "actors/messages.hpp"
#include "kit/resolver_world.hpp"
#include "kit/scripted_gate.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace std::chrono_literals;

namespace {

struct filtered_posts : resolver_world {
  explicit filtered_posts(std::shared_ptr<scripted_gate> gate = std::make_shared<scripted_gate>())
      : resolver_world{{}, {}, "example.org", gate}, filters{std::move(gate)} {
    serve_ann();
  }

  post row(post_id id) {
    auto found = must(find_post(db(), id));
    REQUIRE(found);
    return *found;
  }

  std::shared_ptr<scripted_gate> filters;
};

gate_decision refuse_spam(const filtered_activity& what) {
  return what.content == "spam" ? refused_for("no_spam: links") : gate_decision{};
}

} // namespace

TEST_CASE_METHOD(filtered_posts, "a fetched post is shown to the filters as its author's Create",
                 "[resolver][filters]") {
  serve_note("1", {.extra = R"("content": "<b onclick='x'>hi</b>")"});
  CHECK(note(note_of("1")));
  REQUIRE(filters->questions.size() == 1);
  const auto& asked = filters->questions.front();
  CHECK_FALSE(asked.from.local);
  CHECK(asked.from.host == "v.example");
  CHECK(asked.from.actor == ann);
  CHECK(asked.what.type == "Create");
  CHECK(asked.what.object == note_of("1"));
  CHECK(asked.what.content == "<b onclick='x'>hi</b>"); // before it is sanitised
  CHECK(note(note_of("1")));
  CHECK(filters->questions.size() == 1); // it is known
}

TEST_CASE_METHOD(filtered_posts, "a fetched post that is refused is not stored",
                 "[resolver][filters]") {
  filters->decide = refuse_spam;
  serve_note("1", {.extra = R"("content": "spam")"});
  const auto found = note(note_of("1"));
  REQUIRE_FALSE(found);
  CHECK(code_of(found.error()) == errc::forbidden);
  CHECK(context_of(found.error()) == note_of("1") + ": filter no_spam: links");
  CHECK(code(thing(note_of("1"))) == errc::forbidden);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(filtered_posts, "a fetched post that nobody has judged is for later",
                 "[resolver][filters]") {
  filters->decide = [](const filtered_activity&) { return put_off(); };
  serve_note("1");
  CHECK(code(note(note_of("1"))) == errc::unavailable);
  CHECK(count("post") == 0);
}

TEST_CASE_METHOD(filtered_posts, "a fetched post is stored as the filters have left it",
                 "[resolver][filters]") {
  filters->decide = [](const filtered_activity& what) {
    auto changed = what;
    changed.content = "<script>x</script><p>clean</p>";
    changed.summary = "cw";
    auto decided = rewritten_to(changed);
    decided.delisted = true;
    decided.sensitive = true;
    return decided;
  };
  serve_note("1");
  const auto stored = row(must(note(note_of("1"))));
  CHECK(stored.html == "<p>clean</p>");
  CHECK(stored.spoiler == "cw");
  CHECK(stored.sensitive);
  CHECK(stored.seen_by == visibility::unlisted);
}

TEST_CASE_METHOD(filtered_posts, "a thread ends where the filters refuse", "[resolver][filters]") {
  filters->decide = refuse_spam;
  serve_note("1", {.extra = R"("content": "spam")"});
  serve_note("2", {.reply_to = note_of("1")});
  serve_note("3", {.reply_to = note_of("2")});
  CHECK(must(note(note_of("3"))));
  CHECK(count("post") == 2);
  CHECK(count("post WHERE uri = '" + note_of("1") + "'") == 0);
}

TEST_CASE_METHOD(filtered_posts, "a refused edit changes nothing of what is known",
                 "[resolver][filters]") {
  filters->decide = refuse_spam;
  serve_note("1");
  const auto id = must(note(note_of("1")));
  serve_note("1", {.extra = R"("content": "spam")"});
  CHECK(must(note(note_of("1"), true)) == id);
  CHECK(row(id).html == "<p>hi</p>");
}

TEST_CASE_METHOD(filtered_posts, "what its server may not speak for is shown to nobody",
                 "[resolver][filters][A38]") {
  hosts.serve(note_of("1"), R"({"type": "Note", "id": ")" + note_of("1") +
                                R"(", "content": "x", "attributedTo": "https://e.example/eve"})");
  CHECK(code(note(note_of("1"))) == errc::not_found);
  CHECK(filters->questions.empty());
}
