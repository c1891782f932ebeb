// How subscriptions look for what is new, on homes that a test fills and lets fail: what is asked,
// when it is asked again, and what is told.
#include "engine/embedding/subscriptions.hpp"
#include "tests/kit/hand_moved_world.hpp"
#include "tests/kit/running_engine.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;
using kit::must;

namespace {

using texts = std::vector<std::string>;

/// Homes that a test fills by hand, and a log whose rows it tells of.
struct fake_homes {
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  std::shared_ptr<kit::hand_moved_world> world; ///< Null: there are threads.
  subscriptions all;
  kit::mail<std::string> got;

  explicit fake_homes(std::shared_ptr<kit::hand_moved_world> in = nullptr,
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
  CHECK(got.take_until("70") == texts{"41", "70"});
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
  CHECK(got.take_until("7") == texts{"7"});
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
  CHECK(got.take_until("4") == texts{"1", "2", "3", "4"});
  commit(5);
  CHECK(got.take_until("5") == texts{"5"});
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
  auto homes = fake_homes{std::make_shared<kit::hand_moved_world>()};
  auto& world = *homes.world;
  auto held = homes.subscribe();
  homes.failures = 15;
  homes.commit(7);
  world.settle();
  CHECK(homes.asked == 10);
  CHECK(homes.got.size() == 0);
  CHECK(world.timers() == 1);
  homes.commit(8, false); // another turn, but no other timer
  homes.failures = 10;
  world.settle();
  CHECK(world.timers() == 1);
  world.fire();
  CHECK(homes.got.take(0) == texts{"7"});
  CHECK(world.timers() == 0);
  homes.commit(9);
  world.settle();
  CHECK(homes.got.take(0) == texts{"9"});
  CHECK(world.timers() == 0); // nothing is left
}

TEST_CASE("a row that is long on its way into homes is told of when it is there",
          "[subscriptions]") {
  auto homes = fake_homes{std::make_shared<kit::hand_moved_world>()};
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
