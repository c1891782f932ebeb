#include "actors/messages.hpp"
#include "actors/shard_region.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

/// What the actors of the test share: which run, and what they have seen.
struct stage {
  std::map<std::int64_t, account_handle> running;
  std::vector<std::int64_t> started;
  std::vector<std::string> seen;
  bool throw_next = false;
  bool busy = false; ///< An actor told to exit goes on until it is told again.
};

/// An account that keeps nothing: it notes what comes, and stops when told.
account_handle::behavior_type scripted_account(account_handle::pointer self, stage* shared,
                                               account_id id) {
  self->set_exit_handler([=](caf::exit_msg& order) {
    if (!shared->busy)
      self->quit(order.reason);
  });
  self->set_exception_handler(
      [](std::exception_ptr&) { return make_error(errc::crashed, "scripted"); });
  auto done = [] { return caf::result<void>{caf::unit}; };
  return {
      [=](const publish_post& message) -> caf::result<post_id> {
        if (std::exchange(shared->throw_next, false))
          throw std::runtime_error{"scripted"};
        shared->seen.push_back(message.draft.text);
        return post_id{message.account.value * 1000};
      },
      [](const edit_post& message) -> caf::result<post_id> { return message.post; },
      [=](const delete_post&) { return done(); },
      [](const boost_post& message) -> caf::result<post_id> { return message.post; },
      [=](const unboost_post&) { return done(); },
      [=](const follow_account&) { return done(); },
      [=](const unfollow_account&) { return done(); },
      [=](const block_account&) { return done(); },
      [=](const unblock_account&) { return done(); },
      [=](const mute_account&) { return done(); },
      [=](const unmute_account&) { return done(); },
      [=](const favourite_post&) { return done(); },
      [=](const unfavourite_post&) { return done(); },
      [=](const bookmark_post&) { return done(); },
      [=](const pin_post&) { return done(); },
      [=](const vote_in_poll&) { return done(); },
      [=](const answer_follow_request&) { return done(); },
      [=](const drop_follower&) { return done(); },
      [=](const block_domain&) { return done(); },
      [](const report_account&) { return caf::result<std::int64_t>{1}; },
      [=](const change_profile&) { return done(); },
      [=](const move_account&) { return done(); },
      [=](const rotate_key&) { return done(); },
      [=](const describe_account&) -> caf::result<account_report> {
        return account_report{.account = id};
      },
      [](account_idle) {},
  };
}

struct region_fixture {
  caf::actor_system_config config;
  std::optional<caf::actor_system> system;
  stage shared;
  std::shared_ptr<region_counters> counters = std::make_shared<region_counters>();
  region_of<account_handle> region;
  std::optional<caf::scoped_actor> client;
  std::vector<caf::expected<post_id>> answers;
  std::vector<std::tuple<std::int64_t, errc, bool>> crashes; ///< As the region tells them.

  region_fixture() {
    config.set("scheduler.policy", caf::atom("testing"));
    system.emplace(config);
    client.emplace(*system);
    auto start = [this](account_id id, const passivator_handle&) {
      shared.started.push_back(id.value);
      return shared.running[id.value] = system->spawn(scripted_account, &shared, id);
    };
    auto note = [this](account_id id, const caf::error& reason, bool is_quarantined) {
      crashes.push_back({id.value, code_of(reason), is_quarantined});
    };
    region = system->spawn(shard_region<account_handle>, start, counters,
                           region_options{.on_crash = note});
  }
  ~region_fixture() {
    shared.busy = false;
    caf::anon_send_exit(region, caf::exit_reason::kill);
    for (auto& [id, actor] : shared.running)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    shared.running.clear();
    settle();
    client.reset();
    region = nullptr;
    settle();
  }

  auto& scheduler() { return dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler()); }
  void settle() {
    while (scheduler().try_run_once()) {
    }
  }
  /// Sends; the answer is found in `answers` once it has come.
  void publish(std::int64_t id, std::string text) {
    system->spawn([this, id, text](caf::event_based_actor* self) {
      self->request(region, 10s, publish_post{.account = account_id{id}, .draft = {.text = text}})
          .then([this](post_id post) { answers.emplace_back(post); },
                [this](caf::error& failure) { answers.emplace_back(failure); });
    });
  }
  /// Ends what kept actor `id` from stopping.
  void finish(std::int64_t id) {
    shared.busy = false;
    caf::anon_send_exit(shared.running[id], caf::exit_reason::user_shutdown);
    settle();
  }
  errc last_error() { return answers.back() ? errc{} : code_of(answers.back().error()); }
};

} // namespace

TEST_CASE_METHOD(region_fixture, "a region starts an actor at the first message for its id",
                 "[shard_region]") {
  publish(7, "one");
  publish(7, "two");
  publish(8, "three");
  settle();
  CHECK(shared.started == std::vector<std::int64_t>{7, 8});
  REQUIRE(answers.size() == 3);
  CHECK(*answers[0] == post_id{7000});
  CHECK(counters->active == 2);
}

TEST_CASE_METHOD(region_fixture, "what comes while an actor stops waits for the next one",
                 "[shard_region]") {
  publish(7, "one");
  settle();
  shared.busy = true;
  caf::anon_send(region, passivate_actor{.id = 7});
  settle();
  publish(7, "two");
  publish(7, "three");
  settle();
  CHECK(answers.size() == 1);
  finish(7);
  CHECK(answers.size() == 3);
  CHECK(shared.seen == std::vector<std::string>{"one", "two", "three"});
  CHECK(shared.started == std::vector<std::int64_t>{7, 7});
  CHECK(counters->passivated == 1);
  CHECK(counters->crashes == 0);
}

TEST_CASE_METHOD(region_fixture, "more than 256 messages for a stopping actor are refused",
                 "[shard_region]") {
  publish(7, "one");
  settle();
  shared.busy = true;
  caf::anon_send(region, passivate_actor{.id = 7});
  settle();
  for (auto i = 0; i < 257; ++i)
    publish(7, "more");
  settle();
  REQUIRE(answers.size() == 2);
  CHECK(last_error() == errc::unavailable);
  CHECK(counters->refused == 1);
  finish(7);
  CHECK(answers.size() == 258);
}

TEST_CASE_METHOD(region_fixture, "an old wish to stop does not stop the next actor",
                 "[shard_region]") {
  publish(7, "one");
  settle();
  const auto first = shared.running[7].id();
  caf::anon_send(region, passivate_actor{.id = 7, .incarnation = first});
  settle();
  publish(7, "two");
  settle();
  caf::anon_send(region, passivate_actor{.id = 7, .incarnation = first});
  settle();
  CHECK(counters->passivated == 1);
  CHECK(counters->active == 1);
}

TEST_CASE_METHOD(region_fixture, "an actor that crashed is started again by the next message",
                 "[shard_region]") {
  shared.throw_next = true;
  publish(7, "thrown");
  settle();
  CHECK(last_error() == errc::crashed);
  publish(7, "two");
  settle();
  CHECK(answers.back());
  CHECK(counters->crashes == 1);
}

TEST_CASE_METHOD(region_fixture, "three crashes within a minute put an id aside for a minute",
                 "[shard_region][F38]") {
  for (auto crash = 0; crash < 3; ++crash) {
    shared.throw_next = true;
    publish(7, "thrown");
    settle();
  }
  publish(7, "refused");
  settle();
  CHECK(last_error() == errc::quarantined);
  publish(8, "another id");
  settle();
  CHECK(answers.back());
  scheduler().advance_time(59s);
  publish(7, "still refused");
  settle();
  CHECK(last_error() == errc::quarantined);
  scheduler().advance_time(2s);
  publish(7, "back");
  settle();
  CHECK(answers.back());
  CHECK(counters->quarantined == 1);
  CHECK(crashes == decltype(crashes){{7, errc::crashed, false},
                                     {7, errc::crashed, false},
                                     {7, errc::crashed, true}});
}

TEST_CASE_METHOD(region_fixture, "crashes far apart put nothing aside", "[shard_region]") {
  for (auto crash = 0; crash < 6; ++crash) {
    shared.throw_next = true;
    publish(7, "thrown");
    settle();
    scheduler().advance_time(31s);
  }
  publish(7, "fine");
  settle();
  CHECK(answers.back());
}

TEST_CASE_METHOD(region_fixture, "a region told to exit ends after its actors", "[shard_region]") {
  publish(7, "one");
  settle();
  auto ended = false;
  region->attach_functor([&] { ended = true; });
  shared.busy = true;
  caf::anon_send_exit(region, caf::exit_reason::user_shutdown);
  settle();
  CHECK_FALSE(ended);
  finish(7);
  CHECK(ended);
}
