#include "actors/timeline.hpp"

#include "actors/messages.hpp"
#include "kit/home_world.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto viewer = account_id{1};
constexpr auto author = account_id{2};

std::vector<post_id> ids(std::int64_t newest, std::int64_t oldest) {
  auto posts = std::vector<post_id>{};
  for (auto id = newest; id >= oldest; --id)
    posts.push_back({id});
  return posts;
}

void publish(kit::home_world& world, std::int64_t first, std::int64_t last) {
  for (auto id = first; id <= last; ++id)
    world.publish({.id = {id}, .author = author});
}

struct timeline_fixture {
  std::unique_ptr<kit::home_world> world;

  /// The viewer follows an author with posts 101 to `last`.
  void start(std::int64_t last, kit::home_world_options options = {}) {
    world = std::make_unique<kit::home_world>(options);
    world->follow(viewer, author, {});
    publish(*world, 101, last);
    world->settle_committed();
  }
  std::vector<post_id> read(page_request page) { return world->read(viewer, page); }
};

} // namespace

TEST_CASE_METHOD(timeline_fixture, "pages are cut as Mastodon cuts them", "[timeline]") {
  start(150);
  CHECK(read({}) == ids(150, 131));
  CHECK(read({.limit = 40}) == ids(150, 111));
  CHECK(read({.max_id = {131}, .limit = 5}) == ids(130, 126));
  CHECK(read({.since_id = {140}, .limit = 5}) == ids(150, 146));
  CHECK(read({.since_id = {148}, .limit = 5}) == ids(150, 149));
  CHECK(read({.min_id = {140}, .limit = 5}) == ids(145, 141));
  CHECK(read({.max_id = {143}, .min_id = {140}, .limit = 5}) == ids(142, 141));
  CHECK(read({.max_id = {101}}).empty());
  CHECK(read({.min_id = {150}}).empty());
}

TEST_CASE_METHOD(timeline_fixture, "a page has 1 to 40 posts", "[timeline]") {
  start(101);
  for (const auto limit : {-1, 0, 41}) {
    const auto refused = world->start_read(viewer, {.limit = limit});
    world->actors().settle();
    REQUIRE(refused.ready());
    REQUIRE_FALSE(refused.get());
    CHECK(code_of(refused.get().error()) == errc::invalid);
  }
}

TEST_CASE_METHOD(timeline_fixture, "a home goes on below its ring", "[timeline]") {
  start(600);
  CHECK(world->read_down(viewer, 40) == ids(600, 101));
  CHECK(world->read_up(viewer, 40) == ids(600, 101));
  // Across the ring's end, in both directions.
  CHECK(read({.max_id = {205}, .limit = 10}) == ids(204, 195));
  CHECK(read({.min_id = {195}, .limit = 10}) == ids(205, 196));
  const auto report = world->report(viewer);
  CHECK(report.loaded);
  CHECK(report.length == 400);
  CHECK(report.newest == post_id{600});
  CHECK(report.oldest == post_id{201});
  CHECK(report.rebuilds == 1);
  CHECK(report.applied == 501);
}

TEST_CASE_METHOD(timeline_fixture, "an answered post is in the home at once", "[timeline]") {
  SECTION("with its hint under way") {
    start(110);
  }
  SECTION("with its hint lost") {
    start(110, {.hints_lost = 100});
  }
  SECTION("with hints out of order") {
    start(110, {.seed = 7, .hints_kept_back = 50});
  }
  CHECK(read({}) == ids(110, 101));
  publish(*world, 111, 111);
  world->settle_committed();
  REQUIRE(world->position().applied() < world->position().committed());
  CHECK(read({}) == ids(111, 101));
}

TEST_CASE_METHOD(timeline_fixture, "a home is read from storage when the fan-out is gone",
                 "[timeline]") {
  start(110);
  CHECK(read({}) == ids(110, 101));
  world->actors().kill(world->fanout());
  publish(*world, 111, 120);
  world->settle_committed();
  CHECK(read({.limit = 5}) == ids(120, 116));
  CHECK(read({.min_id = {110}, .limit = 5}) == ids(115, 111));
  CHECK(world->report(viewer).rebuilds == 1);
}

TEST_CASE_METHOD(timeline_fixture, "reads that come together share one rebuild", "[timeline]") {
  start(110, {.timeline = {.waiting_max = 1}});
  world->actors().settle();
  auto reads = std::vector<kit::pending_reply<home_page>>{};
  for (auto count = 0; count < 20; ++count)
    reads.push_back(world->start_read(viewer, {}));
  world->actors().settle();
  auto refused = 0;
  for (const auto& read : reads) {
    REQUIRE(read.ready());
    if (read.get())
      CHECK(read.get()->posts == ids(110, 101));
    else
      refused += code_of(read.get().error()) == errc::unavailable;
  }
  CHECK(refused > 0);
  CHECK(refused < 19);
  CHECK(world->report(viewer).rebuilds == 1);
  CHECK(world->report(viewer).reads == 20);
}

TEST_CASE_METHOD(timeline_fixture, "a ring outlives its timeline, and ends with a change",
                 "[timeline]") {
  start(110);
  CHECK(read({}) == ids(110, 101));
  world->passivate(viewer);
  world->actors().settle();
  CHECK(read({}) == ids(110, 101));
  CHECK(world->report(viewer).rebuilds == 0);
  world->mute(viewer, author, std::nullopt);
  world->settle_committed();
  CHECK(read({}).empty());
  CHECK(world->report(viewer).rebuilds == 1);
}

TEST_CASE_METHOD(timeline_fixture, "an idle timeline is passivated", "[timeline]") {
  start(110, {.timeline = {.idle_after = 60s}});
  CHECK(read({}) == ids(110, 101));
  world->actors().advance(59s);
  CHECK(world->active_timelines() == 1);
  CHECK(read({}) == ids(110, 101));
  world->actors().advance(59s);
  CHECK(world->active_timelines() == 1);
  world->actors().advance(60s);
  CHECK(world->active_timelines() == 0);
}

TEST_CASE_METHOD(timeline_fixture, "a mute that ends gives the posts back", "[timeline]") {
  start(110);
  world->mute(viewer, author, world->actors().now() + 60s);
  world->settle_committed();
  CHECK(read({}).empty());
  publish(*world, 111, 112);
  world->settle_committed();
  world->actors().advance(61s);
  CHECK(read({}) == ids(112, 101));
}
