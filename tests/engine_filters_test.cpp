// Filters of a whole engine: what comes in, what goes out, and a filter that does not return.

#include "tests/kit/gate.hpp"
#include "tests/kit/running_engine.hpp"
#include "trunkline/testing.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <future>
#include <stdexcept>
#include <utility>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

struct scripted final : content_filter {
  using script = std::function<verdict(const activity_origin&, filtered_activity&)>;
  explicit scripted(script given) : run{std::move(given)} {}
  verdict check(const activity_origin& from, filtered_activity& what) override {
    return run(from, what);
  }
  script run;
};

engine::builder with(scripted::script run, filter_failure on_failure = filter_failure::open) {
  auto parts = kit::parts_in_memory();
  parts.filter(std::make_shared<scripted>(std::move(run)),
               {.name = "mine", .on_failure = on_failure});
  return parts;
}

/// Alice on an engine in a world, who follows Bob of another server.
struct filtered_world {
  testing::world world;
  engine here;
  std::string alice;
  testing::peer_account bob;

  explicit filtered_world(scripted::script run, filter_failure on_failure = filter_failure::open)
      : here{must(world.start(with(std::move(run), on_failure)))},
        alice{must(here.create_account({.name = "alice"})).id},
        bob{world.server("b.example").actor("bob")} {
    must(here.follow(alice, "bob@b.example"));
    bob.send(R"({"type":"Accept","id":"https://b.example/accept","actor":")" + bob.uri() +
                 R"(","object":{"type":"Follow","actor":"https://a.example/users/alice",)"
                 R"("object":")" +
                 bob.uri() + R"("}})",
             "alice@a.example");
    world.settle();
  }

  filter_report report() const { return here.filters().at(0); }
};

bool is_post(const filtered_activity& what) {
  return what.object_type == "Note";
}

} // namespace

TEST_CASE("what a filter refuses has no effect, in and out", "[filters][engine_filters]") {
  auto here = filtered_world{[](const activity_origin&, filtered_activity& what) {
    return what.content.find("spam") != std::string::npos ? verdict::reject("no spam")
                                                          : verdict::accept();
  }};
  CHECK(here.bob.post("<p>spam</p>", "alice@a.example") == 202);
  CHECK(must(here.here.home(here.alice)).empty());
  CHECK(here.report().rejected == 1);
  CHECK(here.bob.post("<p>ham</p>", "alice@a.example") == 202);
  CHECK(must(here.here.home(here.alice)).size() == 1);

  const auto refused = here.here.post(here.alice, {.text = "spam", .idempotency_key = "1"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == failure_kind::rejected);
  CHECK(refused.error().message.find("no spam") != std::string::npos);
  CHECK(must(here.here.posts_of(here.alice, here.alice)).empty());
  CHECK(must(here.here.post(here.alice, {.text = "ham", .idempotency_key = "1"})).content ==
        "<p>ham</p>");
}

TEST_CASE("what a filter writes is sanitised as what others send is", "[filters][engine_filters]") {
  auto here = filtered_world{[](const activity_origin& from, filtered_activity& what) {
    if (!is_post(what))
      return verdict::accept();
    what.content = from.local ? "<b> clean" : "<script>alert(1)</script><p>clean</p>";
    what.summary = "<i>cw";
    return verdict::rewrite() | verdict::delist();
  }};
  CHECK(here.bob.post("<p>dirty</p>", "alice@a.example") == 202);
  const auto home = must(here.here.home(here.alice));
  REQUIRE(home.size() == 1);
  CHECK(home[0].content == "<p>clean</p>");
  CHECK(home[0].visibility == post_visibility::unlisted);
  const auto own = must(here.here.post(here.alice, {.text = "dirty"}));
  CHECK(own.content == "<p>&lt;b&gt; clean</p>");
  CHECK(own.spoiler == "<i>cw");
  CHECK(own.visibility == post_visibility::unlisted);
}

TEST_CASE("a filter that throws lets everything pass, or nothing", "[filters][engine_filters]") {
  const auto throws = [](const activity_origin&, filtered_activity& what) -> verdict {
    if (is_post(what))
      throw std::runtime_error{"broken"};
    return verdict::accept();
  };
  auto open = filtered_world{throws};
  CHECK(open.bob.post("<p>hi</p>", "alice@a.example") == 202);
  CHECK(must(open.here.home(open.alice)).size() == 1);
  CHECK(open.here.post(open.alice, {.text = "hi"}));
  CHECK(open.report().failed >= 2);

  auto closed = filtered_world{throws, filter_failure::closed};
  CHECK(closed.bob.post("<p>hi</p>", "alice@a.example") == 202);
  closed.world.advance(20min); // all its tries
  CHECK(must(closed.here.home(closed.alice)).empty());
  const auto refused = closed.here.post(closed.alice, {.text = "hi"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == failure_kind::unavailable);
}

TEST_CASE("an edit in the shape of a vote brings no words past a filter",
          "[filters][engine_filters][abuse]") {
  auto here = filtered_world{[](const activity_origin&, filtered_activity& what) {
    if (!is_post(what))
      return verdict::accept();
    what.content = "<p>clean</p>";
    what.summary = "";
    return verdict::rewrite() | verdict::mark_sensitive() | verdict::delist();
  }};
  const auto update = [&](const std::string& note) {
    return here.bob.send(
        R"({"type":"Update","id":")" + note + R"(#update","actor":")" + here.bob.uri() +
            R"(","object":{"type":"Note","id":")" + note + R"(","attributedTo":")" +
            here.bob.uri() + R"(","name":"casino","summary":"casino",)" +
            R"("inReplyTo":"https://b.example/polls/1","updated":"2099-01-01T00:00:00Z",)" +
            R"("to":["https://www.w3.org/ns/activitystreams#Public"]}})",
        "alice@a.example");
  };
  CHECK(here.bob.post("<p>hi</p>", "alice@a.example") == 202);
  CHECK(update(here.bob.last_post()) == 202);
  CHECK(update("https://b.example/notes/new") == 202); // before any Create
  here.world.settle();
  const auto home = must(here.here.home(here.alice));
  REQUIRE(home.size() == 1);
  CHECK(home[0].content == "<p>clean</p>");
  CHECK(home[0].spoiler.empty());
  CHECK(home[0].visibility == post_visibility::unlisted);
}

TEST_CASE("A10: another's word is refused before a filter sees it",
          "[filters][engine_filters][A10]") {
  auto asked = 0;
  auto here = filtered_world{[&asked](const activity_origin&, filtered_activity&) {
    ++asked;
    return verdict::accept();
  }};
  asked = 0;
  const auto status = here.bob.send(R"({"type":"Follow","id":"https://v.example/f/1",)"
                                    R"("actor":"https://v.example/users/victor",)"
                                    R"("object":"https://a.example/users/alice"})",
                                    "alice@a.example");
  CHECK((status == 401 || status == 403));
  here.world.settle();
  CHECK(asked == 0);
}

TEST_CASE("a filter that does not return holds up nobody", "[filters][engine_filters]") {
  const auto stands = kit::gate{};
  auto parts = with([pass = stands.passer()](const activity_origin&, filtered_activity& what) {
    if (what.content == "stand")
      pass();
    return what.content == "late" ? verdict::reject("no") : verdict::accept();
  });
  auto here = kit::start_engine(std::move(parts));
  const auto alice = must(here.create_account({.name = "alice"})).id;
  CHECK(here.post(alice, {.text = "stand"})); // after its patience
  CHECK(here.post(alice, {.text = "late"}));  // nobody is asked
  CHECK(must(here.posts_of(alice, alice)).size() == 2);
  auto report = here.filters().at(0);
  CHECK(report.given_up == 2);
  CHECK(report.rejected == 0);
  stands.open();
  CHECK(here.drain(10s));
}
