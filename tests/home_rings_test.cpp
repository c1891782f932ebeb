#include "actors/home_rings.hpp"

#include <catch2/catch.hpp>

#include <iostream>
#include <thread>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using what = ring_update::what;

constexpr auto now = time_point{1000s};
constexpr auto start = home_rings::steady_time{100s};

home_snapshot home_following(account_id viewer, std::vector<followee> followees, log_seq seq = 1) {
  auto graph = std::make_shared<viewer_graph>();
  graph->viewer = viewer;
  graph->followees = std::move(followees);
  return {.graph = graph, .posts = {}, .seq = seq, .judged_at = now};
}

ring_update post_by(account_id author, std::int64_t id) {
  return {what::insert, {.id = {id}, .author = author}};
}

std::vector<std::int64_t> ids_of(home_rings& rings, account_id viewer, time_point at = now) {
  auto ids = std::vector<std::int64_t>{};
  if (const auto home = rings.read(viewer, at, start))
    for (const auto& post : home->posts)
      ids.push_back(post.id.value);
  return ids;
}

std::size_t apply_all(home_rings& rings, const ring_update& update) {
  auto cursor = fanout_cursor{};
  auto visits = rings.apply(update, cursor, 1'000'000, now);
  CHECK(cursor.is_done());
  return visits;
}

} // namespace

TEST_CASE("a post reaches the loaded rings of its author and his followers", "[home_rings]") {
  auto rings = home_rings{};
  rings.install(home_following({1}, {{{2}}}), start);
  rings.install(home_following({2}, {}), start);
  rings.install(home_following({3}, {{{1}}}), start);
  CHECK(rings.count_followers({2}) == 2);
  CHECK(apply_all(rings, post_by({2}, 10)) == 2);
  CHECK(ids_of(rings, {1}) == std::vector<std::int64_t>{10});
  CHECK(ids_of(rings, {2}) == std::vector<std::int64_t>{10});
  CHECK(ids_of(rings, {3}).empty());
  CHECK(apply_all(rings, post_by({9}, 11)) == 0);
}

TEST_CASE("an append asks the graph about all but plain posts", "[home_rings]") {
  auto rings = home_rings{};
  auto home = home_following({1}, {{{2}}, {{3}, false}});
  auto graph = viewer_graph{*home.graph};
  graph.languages = {{{2}, {"de"}}};
  home.graph = std::make_shared<viewer_graph>(graph);
  rings.install(home, start);
  auto reply = post_by({3}, 10);
  reply.facts.reply_to = {5};
  reply.facts.reply_author = {7};
  auto boost = post_by({3}, 11);
  boost.facts.boost_of = {5};
  boost.facts.boost_author = {7};
  auto direct = post_by({3}, 12);
  direct.facts.seen_by = visibility::direct;
  auto english = post_by({2}, 13);
  english.facts.language = "en";
  for (const auto& update : {reply, boost, direct, english})
    CHECK(apply_all(rings, update) == 1);
  CHECK(ids_of(rings, {1}).empty());
  apply_all(rings, post_by({2}, 14));
  apply_all(rings, post_by({3}, 15));
  CHECK(ids_of(rings, {1}) == std::vector<std::int64_t>{15, 14});
}

TEST_CASE("an edit is judged again, both ways", "[home_rings]") {
  auto rings = home_rings{};
  auto home = home_following({1}, {{{2}}});
  auto graph = viewer_graph{*home.graph};
  graph.blocked = {{5}};
  home.graph = std::make_shared<viewer_graph>(graph);
  rings.install(home, start);
  auto edit = post_by({2}, 10);
  edit.kind = what::refilter;
  apply_all(rings, edit);
  CHECK(ids_of(rings, {1}) == std::vector<std::int64_t>{10});
  edit.facts.mentions = {{5}};
  apply_all(rings, edit);
  CHECK(ids_of(rings, {1}).empty());
  edit.facts.mentions = {};
  apply_all(rings, edit);
  CHECK(ids_of(rings, {1}) == std::vector<std::int64_t>{10});
}

TEST_CASE("a ring whose graph hides an author does not follow him", "[home_rings]") {
  auto rings = home_rings{};
  auto home = home_following({1}, {{{2}}, {{3}}, {{4}}});
  auto graph = viewer_graph{*home.graph};
  graph.blocked = {{2}};
  graph.blocking = {{3}};
  graph.muted = {{{4}, now + 60s}};
  home.graph = std::make_shared<viewer_graph>(graph);
  rings.install(home, start);
  for (const auto author : {2, 3, 4})
    apply_all(rings, post_by({author}, 10 + author));
  CHECK(ids_of(rings, {1}).empty());
  CHECK(rings.read({1}, now + 59s, start));
  // The mute is over: what was judged by it is wrong.
  CHECK_FALSE(rings.read({1}, now + 60s, start));
  CHECK_FALSE(rings.describe({1}, now + 60s));
  // So it is when the mute ended between the rebuild and its installation.
  rings.install(home, start);
  CHECK_FALSE(rings.read({1}, now + 60s, start));
}

TEST_CASE("a dropped ring is cold, and nothing is appended for it", "[home_rings]") {
  auto rings = home_rings{};
  rings.install(home_following({1}, {{{2}}}, 5), start);
  rings.drop({1}, 5); // known to the ring
  CHECK(rings.read({1}, now, start));
  rings.drop({1}, 6);
  CHECK_FALSE(rings.read({1}, now, start));
  CHECK_FALSE(rings.describe({1}, now));
  CHECK(rings.count_followers({2}) == 0);
  CHECK(apply_all(rings, post_by({2}, 10)) == 0);
  CHECK(rings.counters().loaded == 0);
  CHECK(rings.counters().follows == 0);
}

TEST_CASE("the followers of a deleted account go cold", "[home_rings]") {
  auto rings = home_rings{};
  rings.install(home_following({1}, {{{2}}}), start);
  rings.install(home_following({3}, {{{2}}}), start);
  rings.install(home_following({4}, {{{1}}}), start);
  rings.drop_followers({2}, 7);
  CHECK_FALSE(rings.read({1}, now, start));
  CHECK_FALSE(rings.read({3}, now, start));
  CHECK(rings.read({4}, now, start));
}

TEST_CASE("past its limit the least recently read ring is dropped", "[home_rings]") {
  auto rings = home_rings{{.rings_max = 3}};
  for (const auto viewer : {1, 2, 3})
    rings.install(home_following({viewer}, {}), start + viewer * 1s);
  rings.read({1}, now, start + 10s);
  rings.install(home_following({4}, {}), start + 11s);
  CHECK_FALSE(rings.describe({2}, now));
  for (const auto viewer : {1, 3, 4})
    CHECK(rings.describe({viewer}, now));
  CHECK(rings.counters().loaded == 3);
}

TEST_CASE("the follower index has a limit of its own", "[home_rings]") {
  auto rings = home_rings{{.follows_max = 5}};
  rings.install(home_following({1}, {{{7}}, {{8}}}), start);
  rings.install(home_following({2}, {{{7}}, {{8}}}), start + 1s);
  CHECK_FALSE(rings.describe({1}, now));
  CHECK(rings.describe({2}, now));
  CHECK(rings.counters().follows == 3);
  // One that is too large alone stays: somebody is reading it.
  rings.install(home_following({3}, {{{4}}, {{5}}, {{6}}, {{7}}, {{8}}}), start + 2s);
  CHECK_FALSE(rings.describe({2}, now));
  CHECK(rings.describe({3}, now));
}

TEST_CASE("a ring that nobody reads for a week is dropped", "[home_rings]") {
  auto rings = home_rings{};
  rings.install(home_following({1}, {}), start);
  rings.install(home_following({2}, {}), start);
  rings.read({2}, now, start + 24h);
  rings.drop_unread(start + 7 * 24h - 1s);
  CHECK(rings.describe({1}, now));
  rings.drop_unread(start + 7 * 24h);
  CHECK_FALSE(rings.describe({1}, now));
  CHECK(rings.describe({2}, now));
}

TEST_CASE("a fan-out goes in slices, whoever comes and goes meanwhile", "[home_rings]") {
  auto rings = home_rings{};
  constexpr auto author = account_id{500'000};
  // All in one shard, where those who go move others about.
  auto viewers = std::vector<account_id>{};
  for (auto id = std::int64_t{1}; viewers.size() < 200; ++id)
    if (account_shard({id}) == 7)
      viewers.push_back({id});
  for (const auto viewer : viewers)
    rings.install(home_following(viewer, {{author}}), start);
  const auto update = post_by(author, 10);
  auto cursor = fanout_cursor{};
  auto slices = std::size_t{0};
  while (!cursor.is_done()) {
    CHECK(rings.apply(update, cursor, 7, now) <= 7);
    if (slices < 10) {
      rings.drop(viewers[slices], 9);
      rings.drop(viewers[190 - slices], 9);
    }
    ++slices;
  }
  CHECK(slices >= 180 / 7);
  for (auto index = std::size_t{0}; index < viewers.size(); ++index)
    if (index >= 10 && (index <= 180 || index > 190))
      REQUIRE(ids_of(rings, viewers[index]) == std::vector<std::int64_t>{10});
}

TEST_CASE("a ring may be read while the writer changes all of them", "[home_rings]") {
  auto rings = home_rings{};
  for (auto viewer = 1; viewer <= 20; ++viewer)
    rings.install(home_following({viewer}, {{{50}}}), start);
  auto done = std::atomic<bool>{false};
  auto unordered = std::atomic<int>{0};
  auto reader = std::thread{[&] {
    while (!done)
      for (auto viewer = 1; viewer <= 20; ++viewer)
        if (const auto home = rings.read({viewer}, now, start))
          unordered += !std::ranges::is_sorted(home->posts, std::greater{},
                                               [](auto& post) { return post.id; });
  }};
  for (auto id = 1; id <= 2'000; ++id) {
    apply_all(rings, post_by({50}, id));
    if (id % 100 == 0)
      rings.install(home_following({id % 20 + 1}, {{{50}}}), start);
    if (id % 170 == 0)
      rings.drop({id % 20 + 1}, 9);
  }
  done = true;
  reader.join();
  CHECK(unordered == 0);
}

TEST_CASE("what a million appends cost is printed", "[home_rings]") {
  auto rings = home_rings{{.rings_max = 100'000}};
  constexpr auto author = account_id{1'000'000};
  constexpr auto followers = std::int64_t{10'000};
  constexpr auto posts = std::int64_t{100};
  for (auto viewer = std::int64_t{1}; viewer <= followers; ++viewer)
    rings.install(home_following({viewer}, {{author}}), start);
  const auto began = std::chrono::steady_clock::now();
  for (auto id = std::int64_t{1}; id <= posts; ++id)
    CHECK(apply_all(rings, post_by(author, id)) == followers);
  const auto took =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began);
  CHECK(rings.counters().appends == followers * posts);
  std::cout << "fan-out: " << took.count() * 1e6 / static_cast<double>(followers * posts)
            << " ms per million appends to " << followers << " rings\n";
}
