// Subscriptions to home timelines of engines: every new post once, in order, whatever else goes on.
#include "tests/kit/running_engine.hpp"
#include "trunkline/testing.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using texts = std::vector<std::string>;

/// Bob follows Alice; Carol follows nobody.
struct subscribed_engine {
  kit::mail<std::string> got; ///< Ids. Outlives the engine.
  std::unique_ptr<engine> node =
      std::make_unique<engine>(kit::start_engine(kit::parts_in_memory()));
  std::string alice = make("alice");
  std::string bob = make("bob");
  std::string carol = make("carol");

  subscribed_engine() { must(node->follow(bob, "alice")); }

  std::string make(const std::string& name) {
    return must(node->create_account({.name = name})).id;
  }

  std::string say(const std::string& account, const std::string& text) {
    return must(node->post(account, {.text = text})).id;
  }

  subscription subscribe(const std::string& account) {
    return must(node->subscribe(account, [this](const post_card& post) { got.put(post.id); }));
  }
};

} // namespace

TEST_CASE_METHOD(subscribed_engine, "new posts are told once, oldest first", "[subscriptions]") {
  say(alice, "before");
  auto held = subscribe(bob);
  CHECK(held.active());
  auto expected = texts{};
  for (auto i = 0; i < 60; ++i) {
    say(carol, "not for Bob " + std::to_string(i));
    expected.push_back(say(i % 3 ? alice : bob, "post " + std::to_string(i)));
  }
  CHECK(got.take_until(expected.back()) == expected);

  const auto boosted = must(node->boost(alice, say(carol, "boosted"))).id;
  CHECK(got.take(1) == texts{boosted});
  must(node->edit(alice, expected[1], {.text = "edited"})); // an edit is no new post
  must(node->unfollow(bob, "alice"));
  say(alice, "unseen");
  const auto own = say(bob, "the last");
  CHECK(got.take(1) == texts{own});
}

TEST_CASE_METHOD(subscribed_engine, "a slow function misses nothing, and holds up nobody",
                 "[subscriptions]") {
  auto door = kit::gate{};
  auto told = kit::mail<std::string>{};
  auto slow = must(node->subscribe(bob, [&](const post_card& post) {
    door.pass();
    told.put(post.id);
  }));
  auto expected = texts{say(alice, "first")};
  REQUIRE(door.wait_arrived());
  for (auto i = 0; i < 90; ++i)
    expected.push_back(say(alice, "post " + std::to_string(i)));
  door.open();
  CHECK(told.take_until(expected.back()) == expected);
}

TEST_CASE_METHOD(subscribed_engine, "an ended subscription is not called, and outlives the engine",
                 "[subscriptions]") {
  auto first = subscribe(bob);
  auto second =
      must(node->subscribe(alice, [this](const post_card& post) { got.put("second " + post.id); }));
  first.end();
  CHECK_FALSE(first.active());
  const auto post = say(alice, "to whoever listens");
  CHECK(got.take(1) == texts{"second " + post});
  node.reset();
  CHECK(second.active());
  second.end();
  CHECK(got.take(0).empty());
}

TEST_CASE_METHOD(subscribed_engine, "a function may call the engine, throw, and end its own",
                 "[subscriptions]") {
  auto held = subscription{};
  auto reply = std::string{};
  held = must(node->subscribe(bob, [&](const post_card& post) {
    if (post.author.account == "alice") {
      reply = must(node->post(bob, {.text = "@alice thanks", .reply_to_id = post.id})).id;
      got.put(post.id);
      throw std::runtime_error{"by the embedder"};
    }
    held.end();
    got.put(post.id);
  }));
  const auto post = say(alice, "hello");
  auto both = got.take(2);
  CHECK(both == texts{post, reply});
  auto watcher =
      must(node->subscribe(bob, [this](const post_card& one) { got.put("watcher " + one.id); }));
  const auto last = say(alice, "once more");
  CHECK(got.take(1) == texts{"watcher " + last});
}

TEST_CASE_METHOD(subscribed_engine, "who may not read a home cannot subscribe to it",
                 "[subscriptions]") {
  const auto nothing = [](const post_card&) {};
  const auto unknown = node->subscribe("999", nothing);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == failure_kind::not_found);
  auto many = std::vector<subscription>{};
  for (auto i = 0; i < 256; ++i)
    many.push_back(must(node->subscribe(bob, nothing)));
  const auto refused = node->subscribe(bob, nothing);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == failure_kind::too_large);
  many.pop_back();
  CHECK(node->subscribe(bob, nothing));
}

TEST_CASE("a subscription works in a virtual world", "[subscriptions]") {
  auto world = testing::world{};
  auto node = must(world.start(kit::parts_in_memory()));
  const auto alice = must(node.create_account({.name = "alice"})).id;
  auto told = texts{};
  const auto held = must(node.subscribe(alice, [&](const post_card& post) {
    told.push_back(post.content);
    if (told.size() < 3)
      must(node.post(alice, {.text = "echo " + std::to_string(told.size())}));
  }));
  must(node.post(alice, {.text = "one"}));
  world.advance(1s);
  CHECK(told == texts{"<p>one</p>", "<p>echo 1</p>", "<p>echo 2</p>"});
}
