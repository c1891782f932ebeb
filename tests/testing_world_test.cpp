// Engines and remote servers under virtual time, as an embedder's own tests use them.

#include "kit/running_engine.hpp"
#include "kit/temp_folder.hpp"
#include "trunkline/builder.hpp"
#include "trunkline/testing.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;
using testing::mood;

namespace {

engine::builder parts_of(std::string_view domain) {
  return engine::builder{must(options::for_domain(domain))};
}

account_card new_one(engine& at, const std::string& name) {
  return must(at.create_account({.name = name, .password = "", .role = "user"}));
}

post_card says(engine& at, const account_card& who, const std::string& text) {
  auto draft = new_post{};
  draft.text = text;
  return must(at.post(who.id, draft));
}

std::vector<std::string> texts_of(const std::vector<post_card>& posts) {
  auto texts = std::vector<std::string>{};
  for (const auto& one : posts)
    texts.push_back(one.content);
  return texts;
}

std::vector<std::string> home_of(engine& at, const account_card& who) {
  return texts_of(must(at.home(who.id, {})));
}

/// What a server has got of one type, in order.
std::vector<std::string> contents_of(const testing::remote_server& server, std::string_view type) {
  auto contents = std::vector<std::string>{};
  for (const auto& one : server.received())
    if (one.type == type)
      contents.push_back(one.content);
  return contents;
}

/// One engine with alice, and a server with bob, who follows her.
struct neighbours {
  explicit neighbours(std::uint64_t seed = 0) : world{seed} {
    bob = std::make_unique<testing::peer_account>(there.actor("bob"));
    REQUIRE(bob->follow("alice@a.example") == 202);
    world.advance(1s);
    REQUIRE(contents_of(there, "Accept").size() == 1);
  }

  testing::world world;
  engine here = must(world.start(parts_of("a.example")));
  account_card alice = new_one(here, "alice");
  testing::remote_server& there = world.server("b.example");
  std::unique_ptr<testing::peer_account> bob;
};

} // namespace

TEST_CASE("two engines of one world follow each other and exchange posts", "[testing]") {
  const auto seed = GENERATE(0U, 1U, 2U);
  CAPTURE(seed);
  auto world = testing::world{seed};
  auto one = must(world.start(parts_of("a.example")));
  auto two = must(world.start(parts_of("b.example")));
  const auto alice = new_one(one, "alice");
  const auto bob = new_one(two, "bob");
  must(one.follow(alice.id, "bob@b.example"));
  must(two.follow(bob.id, "alice@a.example"));
  world.advance(2s);
  CHECK(must(one.following(alice.id, "bob@b.example")) == follow_state::following);
  CHECK(must(two.following(bob.id, "alice@a.example")) == follow_state::following);

  const auto hello = says(one, alice, "hello");
  says(two, bob, "good day");
  world.advance(2s);
  CHECK(home_of(one, alice) == std::vector<std::string>{"<p>good day</p>", "<p>hello</p>"});
  CHECK(home_of(two, bob).size() == 2);

  auto changed = new_post{};
  changed.text = "hello again";
  must(one.edit(alice.id, hello.id, changed));
  world.advance(2s);
  const auto seen = home_of(two, bob);
  CHECK(std::ranges::count(seen, "<p>hello again</p>") == 1);
  must(one.delete_post(alice.id, hello.id));
  world.advance(2s);
  CHECK(home_of(two, bob) == std::vector<std::string>{"<p>good day</p>"});
}

TEST_CASE("a remote account follows, posts, edits, deletes and leaves", "[testing]") {
  auto made = neighbours{};
  must(made.here.follow(made.alice.id, "bob@b.example"));
  made.world.advance(1s);
  CHECK(must(made.here.following(made.alice.id, "bob@b.example")) == follow_state::following);

  CHECK(made.bob->post("<p>one</p>", "alice@a.example") == 202);
  made.world.advance(1s);
  CHECK(home_of(made.here, made.alice) == std::vector<std::string>{"<p>one</p>"});
  made.world.advance(1s);
  CHECK(made.bob->edit_last("<p>two</p>", "alice@a.example") == 202);
  made.world.advance(1s);
  CHECK(home_of(made.here, made.alice) == std::vector<std::string>{"<p>two</p>"});
  CHECK(made.bob->delete_last("alice@a.example") == 202);
  made.world.advance(1s);
  CHECK(home_of(made.here, made.alice).empty());

  says(made.here, made.alice, "for followers");
  made.world.advance(1s);
  CHECK(contents_of(made.there, "Create").size() == 1);
  CHECK(made.bob->unfollow("alice@a.example") == 202);
  made.world.advance(1s);
  says(made.here, made.alice, "for nobody");
  made.world.advance(1s);
  CHECK(contents_of(made.there, "Create").size() == 1);
}

TEST_CASE("what an engine sends is signed by the key that it shows", "[testing]") {
  auto made = neighbours{};
  says(made.here, made.alice, "signed");
  made.world.advance(1s);
  const auto& received = made.there.received();
  REQUIRE(received.size() == 2);
  for (const auto& one : received) {
    CHECK(one.signature_ok);
    CHECK(one.actor == made.alice.uri);
    CHECK(one.inbox.ends_with("/inbox"));
  }
  CHECK(received.back().object_type == "Note");
  CHECK(received.back().content == "<p>signed</p>");
}

TEST_CASE("a server in a world believes no forged signature, nor does an engine", "[testing]") {
  auto made = neighbours{};
  const auto mallory = made.world.server("c.example").actor("mallory");
  const auto forged = R"({"@context":"https://www.w3.org/ns/activitystreams",)"
                      R"("id":"https://b.example/users/bob/activities/99","type":"Undo",)"
                      R"("actor":"https://b.example/users/bob",)"
                      R"("object":{"type":"Follow","actor":"https://b.example/users/bob",)"
                      R"("object":")" +
                      made.alice.uri + R"("}})";
  auto liar = mallory;
  CHECK(liar.send(forged, "alice@a.example") == 403);
  CHECK(liar.send(forged, "bob@b.example") == 401);
  CHECK_FALSE(made.there.received().back().signature_ok);
  says(made.here, made.alice, "still followed");
  made.world.advance(1s);
  CHECK(contents_of(made.there, "Create").size() == 1);
}

TEST_CASE("a stalled server does not hold up another one", "[testing][stall]") {
  auto made = neighbours{};
  auto& slow = made.world.server("slow.example");
  REQUIRE(slow.actor("carol").follow("alice@a.example") == 202);
  made.world.advance(1s);
  slow.behave(mood::stall);
  for (auto number = 0; number < 20; ++number)
    says(made.here, made.alice, "post " + std::to_string(number));
  made.world.advance(1s);
  CHECK(contents_of(made.there, "Create").size() == 20);
  CHECK(contents_of(slow, "Create").empty());
  CHECK(slow.requests() > 0);
  slow.behave(mood::answer);
  made.world.advance(1h);
  const auto got = contents_of(slow, "Create");
  CHECK(std::set<std::string>(got.begin(), got.end()).size() == 20);
}

TEST_CASE("whatever the mood of a server was, it gets everything once it answers", "[testing]") {
  const auto how = GENERATE(mood::stall, mood::refuse, mood::vanish, mood::fail, mood::busy);
  CAPTURE(static_cast<int>(how));
  auto made = neighbours{};
  made.there.behave(how);
  says(made.here, made.alice, "patience");
  made.world.advance(30s);
  CHECK(contents_of(made.there, "Create").empty());
  made.there.behave(mood::answer);
  for (auto hour = 0; hour < 12 && contents_of(made.there, "Create").empty(); ++hour)
    made.world.advance(1h);
  CHECK(contents_of(made.there, "Create") == std::vector<std::string>{"<p>patience</p>"});
}

TEST_CASE("a request that is stalled ends after ten seconds of the world", "[testing][stall]") {
  auto made = neighbours{};
  made.there.behave(mood::stall);
  const auto began = made.world.now();
  CHECK_FALSE(made.here.find_account("nobody@b.example"));
  const auto took = made.world.now() - began;
  CHECK(took >= 10s);
  CHECK(took < engine::call_limit + 1s);
}

TEST_CASE("an embedder's answer serves what no account of the server does", "[testing]") {
  auto made = neighbours{};
  auto asked = std::vector<std::string>{};
  made.there.answer([&](const web_request& request) {
    asked.push_back(request.method + " " + request.target);
    return web_response{.status = 404};
  });
  CHECK_FALSE(made.here.find_account("nobody@b.example"));
  REQUIRE_FALSE(asked.empty());
  CHECK(asked.front().starts_with("GET /.well-known/webfinger?resource="));
  CHECK(must(made.here.find_account("bob@b.example")).uri == made.bob->uri());
}

namespace {

/// Some busy minutes: what three servers got, and when.
std::vector<std::string> history(std::uint64_t seed) {
  auto world = testing::world{seed};
  auto here = must(world.start(parts_of("a.example")));
  const auto alice = new_one(here, "alice");
  auto servers = std::vector<testing::remote_server*>{};
  for (const auto* host : {"b.example", "c.example", "d.example"}) {
    servers.push_back(&world.server(host));
    for (const auto* name : {"one", "two"})
      servers.back()->actor(name).follow("alice@a.example");
  }
  auto lines = std::vector<std::string>{};
  auto seen = std::vector<std::size_t>(servers.size());
  const auto note_news = [&] {
    for (auto at = std::size_t{0}; at < servers.size(); ++at)
      for (const auto& all = servers[at]->received(); seen[at] < all.size(); ++seen[at])
        lines.push_back(std::to_string(world.now().time_since_epoch().count()) + " " +
                        all[seen[at]].inbox + " " + all[seen[at]].type + " " +
                        all[seen[at]].object + " " + all[seen[at]].content);
  };
  for (auto minute = 0; minute < 6; ++minute) {
    servers[1]->behave(minute == 2 ? mood::stall : mood::answer);
    servers[2]->behave(minute == 3 ? mood::fail : mood::answer);
    for (auto post = 0; post < 3; ++post)
      says(here, alice, std::to_string(minute) + "." + std::to_string(post));
    for (auto step = 0; step < 600; ++step) {
      world.advance(100ms);
      note_news();
    }
  }
  return lines;
}

} // namespace

TEST_CASE("the same seed gives the same history", "[testing][seed]") {
  const auto seed = GENERATE(0U, 7U);
  CAPTURE(seed);
  const auto first = history(seed);
  CHECK(first.size() > 40);
  CHECK(first == history(seed));
}

TEST_CASE("another seed gives another order", "[testing][seed]") {
  CHECK(history(7) != history(8));
}

TEST_CASE("an engine that stops in the middle loses nothing", "[testing][storage]") {
  const auto folder = kit::temp_folder{};
  auto world = testing::world{3};
  auto one = must(world.start(parts_of("a.example")));
  const auto start_two = [&] {
    return must(world.start(parts_of("b.example").storage(store::sqlite((folder / "b").string()))));
  };
  const auto alice = new_one(one, "alice");
  auto bob = account_card{};
  {
    auto two = start_two();
    bob = new_one(two, "bob");
    must(two.follow(bob.id, "alice@a.example"));
    world.advance(1s);
    for (auto number = 0; number < 10; ++number) {
      says(one, alice, "before " + std::to_string(number));
      if (number == 4)
        world.settle();
    }
  }
  for (auto number = 0; number < 5; ++number)
    says(one, alice, "meanwhile " + std::to_string(number));
  world.advance(10min);
  auto two = start_two();
  world.advance(1h);
  says(one, alice, "after");
  world.advance(1min);
  const auto seen = home_of(two, bob);
  CHECK(seen.size() == 16);
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 16);
}

TEST_CASE("time moves by what it is told and by nothing else", "[testing]") {
  auto world = testing::world{};
  auto one = must(world.start(parts_of("a.example")));
  auto two = must(world.start(parts_of("b.example")));
  const auto began = world.now();
  CHECK(world.settle());
  CHECK(world.now() == began);
  world.advance(10min);
  CHECK(world.now() == began + 10min);
  const auto alice = new_one(one, "alice");
  CHECK(world.now() == began + 10min);
  CHECK(says(one, alice, "now").created_at ==
        std::chrono::floor<std::chrono::milliseconds>(world.now()));
}

TEST_CASE("a hook calls its engine, one call at a time", "[testing][hooks]") {
  auto world = testing::world{5};
  auto* used = static_cast<engine*>(nullptr);
  auto alice = account_card{};
  auto depth = 0;
  auto deepest = 0;
  auto mentions = std::vector<std::string>{};
  auto here = must(world.start(parts_of("a.example").on_post([&](const post_event& event) {
    if (event.local)
      return;
    deepest = std::max(deepest, ++depth);
    mentions.insert(mentions.end(), event.mentions.begin(), event.mentions.end());
    says(*used, alice, "seen " + event.content.substr(3, 1));
    --depth;
  })));
  used = &here;
  alice = new_one(here, "alice");
  auto bob = world.server("b.example").actor("bob");
  must(here.follow(alice.id, "bob@b.example"));
  REQUIRE(bob.follow("alice@a.example") == 202);
  world.advance(1s);
  for (const auto* html : {"<p>1</p>", "<p>2</p>", "<p>3</p>"})
    CHECK(bob.post(html, "alice@a.example") == 202);
  world.advance(10s);
  CHECK(deepest == 1);
  CHECK(mentions == std::vector<std::string>{"alice", "alice", "alice"});
  CHECK(contents_of(world.server("b.example"), "Create").size() == 3);
}

TEST_CASE("engines in memory know nothing of each other and leave nothing", "[testing][memory]") {
  auto world = testing::world{};
  const auto parts = parts_of("a.example");
  {
    auto first = must(world.start(parts));
    new_one(first, "alice");
  }
  auto second = must(world.start(parts));
  CHECK_FALSE(second.find_account("alice"));
  new_one(second, "alice");
}

TEST_CASE("an engine in memory has threads too", "[testing][memory]") {
  auto here = must(parts_of("a.example").storage(store::memory()).start());
  must(here.wait_ready(30s));
  const auto alice = new_one(here, "alice");
  for (auto number = 0; number < 50; ++number)
    says(here, alice, "post " + std::to_string(number));
  CHECK(home_of(here, alice).size() == 20);
  CHECK(home_of(here, alice).front() == "<p>post 49</p>");
  CHECK(here.lost().what.empty());
}
