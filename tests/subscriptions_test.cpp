// Subscriptions to home timelines: every new post once, in order, whatever else goes on.

#include "engine/embedding/subscriptions.hpp"
#include "tests/kit/running_engine.hpp"
#include "trunkline/testing.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using texts = std::vector<std::string>;

/// Takes values until the one that comes last, or none comes any more.
texts take_until(kit::mail<std::string>& from, const std::string& last) {
  auto all = texts{};
  while (all.empty() || all.back() != last) {
    const auto more = from.take(1);
    if (more.empty())
      break;
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

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

/// A virtual world that runs what it is given when a test says so, and counts how it is waited in.
struct turns final : virtual_world {
  std::vector<std::function<void()>> calls;
  std::vector<std::function<void()>> timers;
  std::function<void()> on_wait = [] {};
  time_point now() const override { return {}; }
  std::uint64_t chance() override { return 1; }
  std::shared_ptr<node_sender> sender(const std::string&) override { return nullptr; }
  void attach(const std::string&, http_handler) override {}
  void detach(const std::string&) override {}
  void enter(caf::actor_system&) override {}
  void leave(caf::actor_system&) override {}
  void later(std::function<void()> call) override { calls.push_back(std::move(call)); }
  void after(std::chrono::nanoseconds delay, std::function<void()> call) override {
    CHECK(delay >= 1s); // else it would spin
    timers.push_back(std::move(call));
  }
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds) override {
    if (!done())
      on_wait();
    return done();
  }
  /// Runs what can run now.
  void settle() {
    while (!calls.empty())
      for (const auto& call : std::exchange(calls, {}))
        call();
  }
  void fire() {
    for (const auto& call : std::exchange(timers, {}))
      call();
    settle();
  }
};

/// Homes that a test fills by hand, and a log whose rows it tells of.
struct fake_homes {
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  std::shared_ptr<turns> world; ///< Null: there are threads.
  subscriptions all;
  kit::mail<std::string> got;

  explicit fake_homes(std::shared_ptr<turns> in = nullptr,
                      std::chrono::milliseconds first_pause = 5ms)
      : world{std::move(in)}, all{world, first_pause} {
    all.begin({.client = [this](http_request request, std::shared_ptr<const caller>,
                                const http_reply& reply) { answer(request, reply); },
               .admin = {},
               .world = world},
              position);
  }
  ~fake_homes() { all.end(1s); }

  /// Commits a post, and tells of it; `shown`: it enters the home.
  void commit(std::int64_t id, bool shown = true) {
    if (shown)
      put(id);
    ++seq;
    position->commit(seq);
    position->apply(seq);
    all.apply({.seq = seq, .kind = log_kind::create, .facts = post_facts{.id = {id}}});
  }

  void put(std::int64_t id) {
    const auto held = std::scoped_lock{mutex};
    home.insert(id);
  }

  subscription subscribe() {
    return must(all.add(account_id{1}, [this](const post_card& post) { got.put(post.id); }));
  }

  static std::int64_t number_in(const std::string& query, const std::string& name) {
    const auto place = query.find("&" + name + "=");
    return place == std::string::npos ? 0 : std::stoll(query.substr(place + name.size() + 2));
  }

  void answer(const http_request& request, const http_reply& reply) {
    ++asked;
    if (failures > 0 && failures-- > 0)
      return reply({.status = refusal});
    const auto since = number_in(request.query, "since_id");
    const auto before = number_in(request.query, "max_id");
    auto body = std::string{};
    auto last = std::int64_t{0};
    auto count = 0;
    const auto held = std::scoped_lock{mutex};
    for (auto id = home.rbegin(); id != home.rend() && count < 40; ++id) {
      if (*id <= since || (before > 0 && *id >= before))
        continue;
      last = *id;
      ++count;
      if (!hidden.contains(*id))
        body += (body.empty() ? "" : ",") + ("{\"id\":\"" + std::to_string(*id) + "\"}");
    }
    auto response = http_response{.status = 200, .body = "[" + body + "]"};
    if (last > 0)
      response.headers.emplace_back("Link", "<https://a.example/x?max_id=" + std::to_string(last) +
                                                ">; rel=\"next\"");
    reply(std::move(response));
  }

  log_seq seq = 0;
  std::atomic<int> asked = 0;
  std::atomic<int> failures = 0; ///< How often to fail from now on.
  std::atomic<int> refusal = 503;
  std::set<std::int64_t> hidden; ///< Named by the home, but not shown.
  std::mutex mutex;              ///< Guards what follows.
  std::set<std::int64_t> home;
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
  CHECK(take_until(got, expected.back()) == expected);

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
  CHECK(take_until(told, expected.back()) == expected);
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

TEST_CASE_METHOD(fake_homes, "nothing is asked while nothing is new", "[subscriptions]") {
  commit(10);
  CHECK(asked == 0); // nobody listens
  auto held = subscribe();
  all.apply({.seq = ++seq, .kind = log_kind::follow});
  all.apply({.seq = ++seq, .kind = log_kind::update, .facts = post_facts{.id = {10}}});
  commit(11);
  CHECK(got.take(1) == texts{"11"});
  CHECK(asked == 1);
}

TEST_CASE_METHOD(fake_homes, "ids that are committed out of order are each told once",
                 "[subscriptions]") {
  auto held = subscribe();
  commit(50);
  CHECK(got.take(1) == texts{"50"});
  commit(40); // made earlier, committed later
  CHECK(got.take(1) == texts{"40"});
  put(45); // came into the home by a follow: not new
  commit(60, false);
  commit(41);
  commit(70);
  CHECK(take_until(got, "70") == texts{"41", "70"});
}

TEST_CASE_METHOD(fake_homes, "who comes later is told of later posts alone", "[subscriptions]") {
  auto door = kit::gate{};
  auto first = must(all.add(account_id{1}, [&](const post_card&) { door.pass(); }));
  commit(5);
  REQUIRE(door.wait_arrived());
  commit(6); // remembered for the first one
  auto second = subscribe();
  commit(7);
  door.open();
  CHECK(take_until(got, "7") == texts{"7"});
}

TEST_CASE_METHOD(fake_homes, "a subscription that ends among several posts is told no more",
                 "[subscriptions]") {
  auto door = kit::gate{};
  auto told = kit::mail<std::string>{};
  auto held = subscription{};
  auto calls = 0;
  auto slow = must(all.add(account_id{1}, [&](const post_card& post) {
    door.pass();
    got.put(post.id);
  }));
  held = must(all.add(account_id{1}, [&](const post_card& post) {
    told.put(post.id);
    if (++calls == 2)
      held.end();
  }));
  commit(1);
  REQUIRE(door.wait_arrived());
  for (const auto id : {2, 3, 4})
    commit(id);
  door.open();
  CHECK(take_until(got, "4") == texts{"1", "2", "3", "4"});
  commit(5);
  CHECK(take_until(got, "5") == texts{"5"});
  CHECK(told.take(0) == texts{"1", "2"});
}

TEST_CASE_METHOD(fake_homes, "a home that cannot be read now is read again", "[subscriptions]") {
  auto held = subscribe();
  failures = 3;
  commit(7);
  CHECK(got.take(1) == texts{"7"});
  CHECK(asked == 4);
}

TEST_CASE("a home that could not be read for long is read, though no other post comes",
          "[subscriptions]") {
  auto homes = fake_homes{nullptr, 0ms};
  auto held = homes.subscribe();
  homes.failures = 25;
  homes.commit(7);
  CHECK(homes.got.take(1) == texts{"7"});
  CHECK(homes.asked == 26);
}

TEST_CASE("what was given up in a virtual world is tried again, in its time", "[subscriptions]") {
  auto homes = fake_homes{std::make_shared<turns>()};
  auto& world = *homes.world;
  auto held = homes.subscribe();
  homes.failures = 15;
  homes.commit(7);
  world.settle();
  CHECK(homes.asked == 10);
  CHECK(homes.got.size() == 0);
  CHECK(world.timers.size() == 1);
  homes.commit(8, false); // another turn, but no other timer
  homes.failures = 10;
  world.settle();
  CHECK(world.timers.size() == 1);
  world.fire();
  CHECK(homes.got.take(0) == texts{"7"});
  CHECK(world.timers.empty());
  homes.commit(9);
  world.settle();
  CHECK(homes.got.take(0) == texts{"9"});
  CHECK(world.timers.empty()); // nothing is left
}

TEST_CASE("a row that is long on its way into homes is told of when it is there",
          "[subscriptions]") {
  auto homes = fake_homes{std::make_shared<turns>()};
  auto& world = *homes.world;
  auto waits = 0;
  world.on_wait = [&waits] { ++waits; };
  auto held = homes.subscribe();
  homes.put(7);
  homes.position->commit(1);
  homes.all.apply({.seq = 1, .kind = log_kind::create, .facts = post_facts{.id = {7}}});
  world.settle();
  CHECK(waits == 10);
  CHECK(homes.asked == 0);
  homes.position->apply(1);
  world.fire();
  CHECK(homes.got.take(0) == texts{"7"});
  held.end();
}

TEST_CASE_METHOD(fake_homes, "an account that is gone is not asked about again",
                 "[subscriptions]") {
  auto held = subscribe();
  refusal = 403;
  failures = 1;
  commit(7);
  commit(8, false);
  while (failures > 0)
    std::this_thread::yield();
  commit(9);
  CHECK(got.take(1).back() == "9");
}

TEST_CASE_METHOD(fake_homes, "pages that show nothing do not end the reading", "[subscriptions]") {
  for (auto id = 100; id < 300; ++id) {
    hidden.insert(id);
    put(id);
  }
  auto held = subscribe();
  commit(20);
  CHECK(got.take(1) == texts{"20"});
}

TEST_CASE_METHOD(fake_homes, "past the rows that are remembered, the newest 400 are told",
                 "[subscriptions]") {
  const auto many = static_cast<std::int64_t>(subscriptions::rows_max);
  auto door = kit::gate{};
  auto told = kit::mail<std::string>{};
  auto held = must(all.add(account_id{1}, [&](const post_card& post) {
    door.pass();
    told.put(post.id);
  }));
  commit(1'000);
  REQUIRE(door.wait_arrived());
  for (auto id = std::int64_t{1'001}; id <= 1'500; ++id)
    commit(id);
  for (auto id = std::int64_t{1'501}; id <= 1'500 + many; ++id)
    commit(id, false);
  door.open();
  auto ids = std::set<std::string>{};
  auto count = std::size_t{0};
  while (count < 401) {
    const auto more = told.take(1);
    if (more.empty())
      break;
    count += more.size();
    ids.insert(more.begin(), more.end());
  }
  CHECK(count == 401);
  CHECK(ids.size() == 401);
  CHECK(ids.contains("1000"));
  CHECK(ids.contains("1500"));
  CHECK(ids.contains("1101"));
}
