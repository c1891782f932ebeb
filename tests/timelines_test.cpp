// Rebuilt == served: random histories on real actors and a real store, every home held against
// `home_of` over everything there is.
#include "kit/home_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <iostream>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto accounts = std::int64_t{6};

/// Makes random changes to a world, some of them together.
class random_history {
public:
  explicit random_history(kit::home_world& world) : world_{world}, random_{world.random()} {}

  void change() {
    switch (random_() % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return publish();
    case 5:
    case 6:
      return boost();
    case 7:
      return edit();
    case 8:
      return remove();
    case 9:
    case 10:
    case 11:
      return follow();
    case 12:
      return unfollow_or_unboost();
    case 13:
      return block_or_unblock();
    default:
      return mute_or_unmute();
    }
  }

  void publish() {
    auto facts = post_facts{.id = new_id(), .author = someone()};
    facts.seen_by = static_cast<visibility>(1 + (random_() % 8 < 5 ? 0 : random_() % 4));
    facts.language = some_language();
    if (random_() % 3 == 0)
      facts.mentions = some_mentions();
    if (const auto answered = some_post(); answered && random_() % 3 == 0) {
      facts.reply_to = answered->id;
      facts.reply_author = random_() % 12 ? answered->author : account_id{};
    }
    world_.publish(facts);
  }

private:
  bool one_in(unsigned count) { return random_() % count == 0; }

  account_id someone() { return {static_cast<std::int64_t>(1 + random_() % accounts)}; }

  std::pair<account_id, account_id> two() {
    const auto one = someone();
    const auto step = static_cast<std::int64_t>(1 + random_() % (accounts - 1));
    return {one, {(one.value - 1 + step) % accounts + 1}};
  }

  /// Mostly rising, as the clocks of writers give them, and now and then late.
  post_id new_id() {
    newest_ += static_cast<std::int64_t>(1 + random_() % 10);
    auto id = post_id{newest_ - (one_in(4) ? static_cast<std::int64_t>(random_() % 60) : 0)};
    while (used_.contains(id) || id.value < 2)
      id = {++newest_};
    used_.insert(id);
    return id;
  }

  std::string some_language() {
    constexpr auto languages = std::to_array<const char*>({"", "", "de", "en", "fr"});
    return languages[random_() % languages.size()];
  }

  std::vector<account_id> some_mentions() {
    auto mentions = std::vector<account_id>{someone(), someone()};
    std::ranges::sort(mentions);
    if (mentions[0] == mentions[1])
      mentions.pop_back();
    return mentions;
  }

  template <class Predicate>
  const post_facts* some_post(Predicate fits) {
    auto fitting = std::vector<const post_facts*>{};
    for (const auto& [id, facts] : world_.model().posts)
      if (fits(facts))
        fitting.push_back(&facts);
    return fitting.empty() ? nullptr : fitting[random_() % fitting.size()];
  }
  /// A post that is no boost; the newest ones more often.
  const post_facts* some_post() {
    const auto from = one_in(2) ? newest_ - 100 : 0;
    return some_post([=](const auto& facts) { return !facts.boost_of && facts.id.value >= from; });
  }

  void boost() {
    const auto* boosted = some_post();
    const auto author = someone();
    if (!boosted || world_.model().has_boost(author, boosted->id))
      return publish();
    world_.boost(author, boosted->id, new_id());
  }

  void edit() {
    if (const auto* post = some_post())
      world_.edit(post->id, some_language(), one_in(2) ? some_mentions() : post->mentions);
  }

  void remove() {
    if (const auto* post = some_post())
      world_.remove(post->id);
  }

  void follow() {
    const auto [follower, followee] = two();
    constexpr auto languages = std::to_array<const char*>({"", "", "", "de", "en,fr"});
    // What is accepted stays so until it ends.
    const auto known = world_.model().follows.find({follower, followee});
    const auto was_accepted = known != world_.model().follows.end() && known->second.accepted;
    world_.follow(follower, followee,
                  {.accepted = was_accepted || !one_in(6),
                   .show_boosts = !one_in(4),
                   .languages = languages[random_() % languages.size()]});
  }

  void unfollow_or_unboost() {
    if (const auto* boost = some_post([](auto& facts) { return bool{facts.boost_of}; });
        boost && one_in(2))
      return world_.unboost(boost->id);
    const auto& follows = world_.model().follows;
    if (follows.empty())
      return;
    const auto [follower, followee] =
        std::next(follows.begin(), static_cast<std::ptrdiff_t>(random_() % follows.size()))->first;
    world_.unfollow(follower, followee);
  }

  void block_or_unblock() {
    const auto [blocker, blocked] = two();
    if (world_.model().blocks.contains({blocker, blocked}))
      return world_.unblock(blocker, blocked);
    if (one_in(3))
      world_.block(blocker, blocked);
  }

  void mute_or_unmute() {
    const auto [muter, muted] = two();
    if (world_.model().mutes.contains({muter, muted}))
      return world_.unmute(muter, muted);
    auto until = std::optional<time_point>{};
    if (one_in(2))
      until = world_.actors().now() + std::chrono::seconds{5 + random_() % 60};
    world_.mute(muter, muted, until);
  }

  kit::home_world& world_;
  std::mt19937_64& random_;
  std::int64_t newest_ = 1'000;
  std::set<post_id> used_;
};

/// A page as Mastodon cuts it out of the whole home.
std::vector<post_id> cut(std::vector<post_id> home, const page_request& page) {
  const auto above = std::max(page.since_id, page.min_id);
  std::erase_if(home,
                [&](post_id id) { return id <= above || (page.max_id && id >= page.max_id); });
  const auto limit = static_cast<std::size_t>(page.limit);
  if (home.size() <= limit)
    return home;
  if (page.min_id)
    return {home.end() - page.limit, home.end()};
  home.resize(limit);
  return home;
}

page_request random_page(std::mt19937_64& random, const std::vector<post_id>& home) {
  auto page = page_request{.limit = static_cast<std::int64_t>(1 + random() % 40)};
  const auto some_id = [&] {
    if (home.empty())
      return post_id{};
    return post_id{home[random() % home.size()].value + static_cast<std::int64_t>(random() % 3) -
                   1};
  };
  if (random() % 3 == 0)
    page.max_id = some_id();
  if (random() % 4 == 0)
    page.since_id = some_id();
  if (random() % 4 == 0)
    page.min_id = some_id();
  return page;
}

/// The ring, judged as a reader judges it, is the home from the ring's end on.
void check_ring(kit::home_world& world, account_id viewer) {
  const auto now = world.actors().now();
  const auto ring = world.rings().read(viewer, now, {});
  if (!ring)
    return;
  const auto graph = world.model().graph_of(viewer);
  const auto facts = world.model().all_facts();
  auto shown = std::vector<post_id>{};
  for (const auto& post : ring->posts) {
    const auto known = std::ranges::find(facts, post.id, &post_facts::id);
    if (known == facts.end())
      continue; // gone; readers find out
    CHECK(may_belong_in_home(graph, *known, now));
    CHECK(known->boost_of == post.boost_of);
    if (belongs_in_home(graph, *known, now))
      shown.push_back(post.id);
  }
  auto expected = world.model().home(viewer, now);
  std::erase_if(expected, [&](post_id id) { return id < ring->complete_from; });
  CHECK(shown == expected);
}

kit::home_world_options random_options(std::uint64_t seed) {
  auto random = std::mt19937_64{seed * 7919};
  const auto rough = random() % 2;
  return {.seed = seed,
          .hints_lost = rough ? 20u : 0u,
          .hints_doubled = rough ? 20u : 5u,
          .hints_kept_back = rough ? 25u : 5u,
          .rings = {.rings_max = 2 + random() % 6},
          .fanout = {.slice_max = 1 + random() % 5, .history_max = 2 + random() % 60},
          .log_reader = {.rows_max = 2 + random() % 20, .hints_max = 1 + random() % 30},
          .timeline = {.idle_after = std::chrono::seconds{1 + random() % 60}}};
}

struct sums {
  std::int64_t changes = 0;
  std::int64_t reads = 0;
  std::int64_t disturbances = 0; ///< Restarts, passivations, dropped rings.
  std::int64_t refused = 0;      ///< Homes that were wrong by the time they were rebuilt.
};

/// Everything was answered, nothing else was waited for: a read must show it, whatever was lost.
void check_read(kit::home_world& world, account_id viewer, sums& done) {
  const auto before = world.model().home(viewer, world.actors().now());
  const auto page = random_page(world.random(), before);
  CAPTURE(viewer.value, page.max_id.value, page.since_id.value, page.min_id.value, page.limit);
  const auto served = world.read(viewer, page);
  ++done.reads;
  const auto after = world.model().home(viewer, world.actors().now());
  if (before == after) // no mute ended while the read waited
    CHECK(served == cut(after, page));
}

void run_history(std::uint64_t seed, int bursts, sums& done) {
  CAPTURE(seed);
  auto world = kit::home_world{random_options(seed)};
  auto& random = world.random();
  auto history = random_history{world};
  if (seed % 4 == 0) // homes longer than a ring
    for (auto count = 0; count < 700; ++count)
      history.publish();
  for (auto burst = 0; burst < bursts; ++burst) {
    // Reads that nobody waits for, so that rebuilds and changes overtake each other.
    for (auto count = random() % 3; count > 0; --count)
      world.start_read({static_cast<std::int64_t>(1 + random() % accounts)}, {});
    for (auto count = 1 + random() % 6; count > 0; --count, ++done.changes) {
      history.change();
      world.actors().settle_partly(random() % 8);
    }
    world.settle_committed();
    for (auto count = random() % 3; count > 0; --count)
      check_read(world, {static_cast<std::int64_t>(1 + random() % accounts)}, done);
    if (random() % 8 == 0)
      world.actors().advance(std::chrono::milliseconds{random() % 20'000});
    if (random() % 6 == 0) {
      world.passivate({static_cast<std::int64_t>(1 + random() % accounts)});
      ++done.disturbances;
    }
    if (random() % 25 == 0) {
      world.restart();
      ++done.disturbances;
    }
  }
  world.actors().advance(1s);
  for (auto viewer = std::int64_t{1}; viewer <= accounts; ++viewer) {
    const auto home = world.model().home({viewer}, world.actors().now());
    CAPTURE(viewer);
    CHECK(world.read_down({viewer}, static_cast<std::int64_t>(5 + random() % 36)) == home);
    CHECK(world.read_up({viewer}, static_cast<std::int64_t>(5 + random() % 36)) == home);
    check_ring(world, {viewer});
    ++done.reads;
  }
  done.refused += world.refused_homes();
  done.disturbances += world.rings().counters().dropped;
}

} // namespace

TEST_CASE("every home that is served is the home that home_of gives", "[timelines]") {
  auto done = sums{};
  constexpr auto histories = 300;
  for (auto seed = std::uint64_t{1}; seed <= histories; ++seed)
    run_history(seed, 40, done);
  std::cout << "timelines: " << histories << " histories, " << done.changes << " changes, "
            << done.reads << " homes read, " << done.disturbances
            << " restarts, passivations and dropped rings, " << done.refused
            << " rebuilt homes refused\n";
  // Else the histories do not reach what they are for.
  CHECK(done.refused > 0);
}
