// Real accounts, and the homes of everybody: what an account was answered is in the home of its
// author and his followers, once, whatever is killed; every home is the home of what is stored.
#include "actors/messages.hpp"
#include "kit/home_model.hpp"
#include "kit/test_node.hpp"

#include "actors/fanout.hpp"
#include "actors/log_reader.hpp"
#include "actors/timeline.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <iostream>
#include <random>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto accounts = std::int64_t{5}; // the last one is locked

/// Everything that is stored, read table by table.
kit::home_model stored(database& db) {
  auto model = kit::home_model{};
  const auto rows = [&](std::string_view sql) { return db.run(sql)->rows; };
  for (const auto& row : rows("SELECT id, author, boost_of, boost_author, reply_to, reply_author,"
                              " visibility, language FROM post")) {
    const auto id = row[0].id<post_id>();
    model.posts[id] = {.id = id,
                       .author = row[1].id<account_id>(),
                       .boost_of = row[2].id<post_id>(),
                       .boost_author = row[3].id<account_id>(),
                       .reply_to = row[4].id<post_id>(),
                       .reply_author = row[5].id<account_id>(),
                       .seen_by = static_cast<visibility>(row[6].integer()),
                       .language = row[7].text()};
  }
  for (const auto& row : rows("SELECT post_id, account_id FROM mention ORDER BY account_id"))
    if (const auto post = model.posts.find(row[0].id<post_id>()); post != model.posts.end())
      post->second.mentions.push_back(row[1].id<account_id>());
  for (const auto& row : rows("SELECT follower, followee, accepted, show_boosts, languages"
                              " FROM follow"))
    model.follows[{row[0].id<account_id>(), row[1].id<account_id>()}] = {
        .accepted = row[2].flag(), .show_boosts = row[3].flag(), .languages = row[4].text()};
  for (const auto& row : rows("SELECT blocker, blocked FROM block"))
    model.blocks.insert({row[0].id<account_id>(), row[1].id<account_id>()});
  for (const auto& row : rows("SELECT muter, muted, expires_at FROM mute"))
    model.mutes[{row[0].id<account_id>(), row[1].id<account_id>()}] = row[2].optional_time();
  return model;
}

struct sums {
  std::int64_t operations = 0;
  std::int64_t acknowledged = 0;
  std::int64_t homes = 0;
  std::int64_t kills = 0;
};

class simulation {
public:
  explicit simulation(std::uint64_t seed)
      : random_{seed}, node_{seed, {.log_reader = [this](kit::test_node& node) {
                               return start_log(node);
                             }}} {
    for (auto number = std::int64_t{1}; number <= accounts; ++number)
      node_.add_account({number}, "user" + std::to_string(number), number == accounts);
    start_timelines();
  }

  void run(sums& done) {
    for (auto burst = 0; burst < 25; ++burst) {
      for (auto count = 1 + below(5); count > 0; --count, ++done.operations) {
        start_operation();
        node_.actors.settle_partly(below(30));
      }
      if (below(8) == 0)
        disturb(done);
      finish_operations(done);
      check_home({static_cast<std::int64_t>(1 + below(accounts))}, done);
    }
    node_.actors.advance(1s);
    for (auto viewer = std::int64_t{1}; viewer <= accounts; ++viewer)
      check_home({viewer}, done);
  }

private:
  std::size_t below(std::size_t end) { return random_() % end; }
  account_id somebody() { return {static_cast<std::int64_t>(1 + below(accounts))}; }

  log_reader_handle start_log(kit::test_node& node) {
    rings_ = std::make_shared<home_rings>(home_rings_options{.rings_max = 3});
    position_ = node.storage.position = std::make_shared<log_position>();
    fanout_ = node.actors.spawn(
        fanout,
        fanout_dependencies{
            .rings = rings_, .position = position_, .caches = {}, .clock = node.actors.clock()},
        fanout_options{.slice_max = 2, .history_max = 20});
    return node.actors.spawn(log_reader,
                             log_reader_dependencies{.readers = node.handles.readers,
                                                     .fanout = fanout_,
                                                     .position = position_},
                             log_reader_options{});
  }

  void start_timelines() {
    const auto has = timeline_dependencies{.storage = node_.handles,
                                           .fanout = fanout_,
                                           .rings = rings_,
                                           .position = position_,
                                           .clock = node_.actors.clock()};
    timelines_ = node_.actors.spawn(
        shard_region<timeline_handle>,
        [this, has](account_id id, const passivator_handle& region) {
          return node_.actors.spawn(timeline, id, region, has, timeline_options{});
        },
        std::make_shared<region_counters>(), region_options{});
  }

  post_id some_post() { return posts_.empty() ? post_id{1} : posts_[below(posts_.size())].first; }

  account_id author_of(post_id post) {
    const auto found = std::ranges::find(posts_, post, [](auto& known) { return known.first; });
    return found == posts_.end() ? somebody() : found->second;
  }

  template <class Message>
  void make(Message message) {
    making_.emplace_back(message.account,
                         node_.actors.start<post_id>(node_.accounts, std::move(message)));
  }
  template <class Message>
  void tell(Message message) {
    telling_.push_back(node_.actors.start_done(node_.accounts, std::move(message)));
  }

  void start_operation() {
    const auto who = somebody();
    const auto other = somebody();
    const auto post = some_post();
    switch (below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return make(publish_post{who, {.text = text_naming(other)}, "", {}});
    case 4:
      return make(publish_post{who, {.text = "answer", .reply_to = post}, "", {}});
    case 5:
      return make(
          publish_post{who, {.text = text_naming(other), .seen_by = visibility::direct}, "", {}});
    case 6:
      return make(edit_post{author_of(post), post, {.text = text_naming(other)}, {}});
    case 7:
      return tell(delete_post{author_of(post), post, {}});
    case 8:
      return make(boost_post{who, post, visibility::everyone, {}});
    case 9:
      return tell(unboost_post{who, post, {}});
    case 10:
    case 11:
      return tell(follow_account{who, other, {.show_boosts = below(4) != 0}, {}});
    case 12:
      return below(2) ? tell(unfollow_account{who, other, {}})
                      : tell(block_account{who, other, {}});
    default:
      if (below(2))
        return tell(mute_account{who, other, {.duration = std::chrono::seconds{below(100)}}, {}});
      return below(2) ? tell(unmute_account{who, other, {}})
                      : tell(unblock_account{who, other, {}});
    }
  }

  std::string text_naming(account_id named) {
    return below(3) ? "words " + std::to_string(++texts_) : "hello @user" + to_string(named);
  }

  void disturb(sums& done) {
    ++done.kills;
    if (below(2))
      return node_.kill_account(somebody());
    timelines_ = nullptr;
    fanout_ = nullptr;
    making_.clear();
    telling_.clear();
    node_.kill_and_restart();
    start_timelines();
  }

  /// Ends as soon as every account was answered; what the log brings to the rings may be on its
  /// way.
  void finish_operations(sums& done) {
    const auto is_open = [](const auto& reply) { return !reply.ready(); };
    const auto are_open = [&] {
      return std::ranges::any_of(telling_, is_open) ||
             std::ranges::any_of(
                 making_, is_open, [](auto& one) -> auto& { return one.second; });
    };
    for (auto steps = 0; are_open() && steps < 2'000; ++steps)
      node_.actors.settle_partly(1);
    if (are_open()) // lost with a killed actor
      node_.actors.advance(20s);
    for (const auto& [author, reply] : making_)
      if (reply.ready() && reply.get()) {
        posts_.emplace_back(*reply.get(), author);
        ++done.acknowledged;
      }
    making_.clear();
    telling_.clear();
  }

  void check_home(account_id viewer, sums& done) {
    CAPTURE(viewer.value);
    const auto before = node_.actors.now();
    const auto page = node_.actors.ask<home_page>(timelines_, read_home{viewer, {.limit = 40}, {}});
    REQUIRE(page);
    const auto model = stored(node_.db());
    auto home = model.home(viewer, node_.actors.now());
    if (home != model.home(viewer, before))
      return; // a mute ended meanwhile
    home.resize(std::min<std::size_t>(home.size(), 40));
    CHECK(page->posts == home);
    ++done.homes;
  }

  std::mt19937_64 random_;
  std::shared_ptr<home_rings> rings_;
  std::shared_ptr<log_position> position_;
  fanout_handle fanout_;
  kit::test_node node_;
  region_of<timeline_handle> timelines_;
  std::vector<std::pair<account_id, kit::pending_reply<post_id>>> making_;
  std::vector<kit::pending_done> telling_;
  std::vector<std::pair<post_id, account_id>> posts_;
  int texts_ = 0;
};

} // namespace

TEST_CASE("what accounts were answered is in every home it belongs to", "[home_simulation]") {
  auto done = sums{};
  constexpr auto histories = std::uint64_t{150};
  for (auto seed = std::uint64_t{1}; seed <= histories; ++seed) {
    CAPTURE(seed);
    simulation{seed}.run(done);
  }
  std::cout << "homes of real accounts: " << histories << " histories, " << done.operations
            << " operations, " << done.acknowledged << " posts, edits and boosts answered, "
            << done.kills << " kills, " << done.homes << " homes compared\n";
  CHECK(done.acknowledged > 1'000);
  CHECK(done.homes > 1'000);
}
