#include "actors/fanout.hpp"

#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

struct noting_cache final : log_cache {
  std::vector<log_seq> rows;
  void apply(const log_entry& row) override { rows.push_back(row.seq); }
};

struct fanout_fixture {
  kit::deterministic_system actors;
  std::shared_ptr<home_rings> rings = std::make_shared<home_rings>();
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  std::shared_ptr<noting_cache> cache = std::make_shared<noting_cache>();
  fanout_handle handle;

  void start(fanout_options options = {}) {
    handle = actors.spawn(
        fanout,
        fanout_dependencies{
            .rings = rings, .position = position, .caches = {cache}, .clock = actors.clock()},
        options);
    send({}, 0);
    actors.settle();
  }

  void send(std::vector<log_entry> rows, log_seq upto,
            std::optional<std::chrono::steady_clock::time_point> end_seen_at = {}) {
    caf::anon_send(handle, apply_rows{std::move(rows), upto, end_seen_at});
  }
  void apply(const log_entry& row) {
    send({row}, row.seq);
    actors.settle();
  }

  static home_snapshot home_of_viewer(account_id viewer, std::vector<account_id> followed,
                                      log_seq seq) {
    auto graph = std::make_shared<viewer_graph>();
    graph->viewer = viewer;
    for (const auto account : followed)
      graph->followees.push_back({account});
    return {.graph = graph, .seq = seq};
  }
  bool install(account_id viewer, std::vector<account_id> followed, log_seq seq) {
    const auto done =
        actors.ask<bool>(handle, install_home{home_of_viewer(viewer, std::move(followed), seq)});
    REQUIRE(done);
    return *done;
  }

  /// What a read that waits for `seq` was told: nothing yet, no error, or why not.
  using told = std::shared_ptr<std::optional<caf::error>>;
  told await(log_seq seq) {
    auto answer = std::make_shared<std::optional<caf::error>>();
    actors.system().spawn([=, to = handle](caf::event_based_actor* self) {
      self->request(to, 1min, await_applied{seq})
          .then([=] { answer->emplace(); },
                [=](caf::error& failure) { answer->emplace(std::move(failure)); });
    });
    actors.settle();
    return answer;
  }

  std::vector<std::int64_t> ring_of(account_id viewer) {
    auto ids = std::vector<std::int64_t>{};
    const auto home = rings->read(viewer, actors.now(), {});
    REQUIRE(home);
    for (const auto& post : home->posts)
      ids.push_back(post.id.value);
    return ids;
  }
  bool is_loaded(account_id viewer) { return rings->describe(viewer, actors.now()).has_value(); }

  fanout_report report() { return *actors.ask<fanout_report>(handle, describe_fanout{}); }
};

log_entry create(log_seq seq, account_id author, std::int64_t id) {
  return {.seq = seq,
          .kind = log_kind::create,
          .author = author,
          .object = {object_kind::post, 0, id},
          .facts = post_facts{.id = {id}, .author = author}};
}

log_entry about(log_seq seq, log_kind kind, object_key object) {
  return {.seq = seq, .kind = kind, .author = {object.actor}, .object = object};
}

} // namespace

TEST_CASE_METHOD(fanout_fixture, "a row reaches rings and caches, and is applied", "[fanout]") {
  start();
  REQUIRE(install({1}, {{2}}, 0));
  apply(create(1, {2}, 10));
  CHECK(ring_of({1}) == std::vector<std::int64_t>{10});
  CHECK(cache->rows == std::vector<log_seq>{1});
  CHECK(position->applied() == 1);
  CHECK(report().received == 1);
}

TEST_CASE_METHOD(fanout_fixture, "an edit is judged again and a deleted post vanishes",
                 "[fanout]") {
  start();
  REQUIRE(install({1}, {{2}}, 0));
  auto direct = create(1, {2}, 10);
  direct.facts->seen_by = visibility::direct;
  direct.facts->mentions = {{1}};
  apply(direct);
  apply(create(2, {2}, 11));
  apply(create(3, {2}, 12));
  auto edit = direct;
  edit.seq = 4;
  edit.kind = log_kind::update;
  edit.facts->mentions = {};
  apply(edit);
  CHECK(ring_of({1}) == std::vector<std::int64_t>{12, 11});
  auto gone = about(5, log_kind::remove, {object_kind::post, 0, 11});
  gone.author = {2};
  apply(gone);
  CHECK(ring_of({1}) == std::vector<std::int64_t>{12});
  // A row whose post is gone by now says nothing.
  auto nothing = create(6, {2}, 13);
  nothing.facts.reset();
  apply(nothing);
  CHECK(ring_of({1}) == std::vector<std::int64_t>{12});
  CHECK(position->applied() == 6);
}

TEST_CASE_METHOD(fanout_fixture, "who changes his graph gets a cold ring", "[fanout]") {
  start();
  for (const auto viewer : {1, 2, 3})
    REQUIRE(install({viewer}, {{7}}, 0));
  SECTION("follows, mutes") {
    const auto kind =
        GENERATE(log_kind::follow, log_kind::undo_follow, log_kind::mute, log_kind::undo_mute);
    apply(about(1, kind, {object_kind::follow, 1, 2}));
    CHECK_FALSE(is_loaded({1}));
    CHECK(is_loaded({2}));
  }
  SECTION("blocks, of both") {
    const auto kind = GENERATE(log_kind::block, log_kind::undo_block);
    apply(about(1, kind, {object_kind::block, 1, 2}));
    CHECK_FALSE(is_loaded({1}));
    CHECK_FALSE(is_loaded({2}));
  }
  SECTION("a request or a refusal changes nothing") {
    const auto kind = GENERATE(log_kind::follow_request, log_kind::reject_follow);
    apply(about(1, kind, {object_kind::follow, 1, 2}));
    CHECK(is_loaded({1}));
    CHECK(is_loaded({2}));
  }
  CHECK(is_loaded({3}));
}

TEST_CASE_METHOD(fanout_fixture, "a deleted account leaves its followers' homes", "[fanout]") {
  start();
  REQUIRE(install({1}, {{7}}, 0));
  REQUIRE(install({2}, {{8}}, 0));
  REQUIRE(install({7}, {}, 0));
  apply(about(1, log_kind::remove_actor, {object_kind::account, 0, 7}));
  CHECK_FALSE(is_loaded({1}));
  CHECK_FALSE(is_loaded({7}));
  CHECK(is_loaded({2}));
}

TEST_CASE_METHOD(fanout_fixture, "what came while a home was rebuilt is in it", "[fanout]") {
  start();
  apply(create(1, {2}, 10));
  apply(create(2, {2}, 11));
  apply(create(3, {3}, 12));
  REQUIRE(install({1}, {{2}}, 1));
  CHECK(ring_of({1}) == std::vector<std::int64_t>{11});
}

TEST_CASE_METHOD(fanout_fixture, "a home whose graph changed while it was rebuilt is refused",
                 "[fanout]") {
  start();
  SECTION("by himself") {
    apply(about(1, log_kind::follow, {object_kind::follow, 1, 2}));
  }
  SECTION("by who blocked him") {
    apply(about(1, log_kind::block, {object_kind::block, 2, 1}));
  }
  SECTION("by a followee's end") {
    apply(about(1, log_kind::remove_actor, {object_kind::account, 0, 3}));
  }
  CHECK_FALSE(install({1}, {{3}}, 0));
  CHECK_FALSE(is_loaded({1}));
  CHECK(report().refused_homes == 1);
  CHECK(install({1}, {{3}}, 1));
  CHECK(install({4}, {{5}}, 0));
}

TEST_CASE_METHOD(fanout_fixture, "a home older than the rows that are kept is refused",
                 "[fanout]") {
  start({.history_max = 2});
  for (auto seq = 1; seq <= 4; ++seq)
    apply(create(seq, {2}, 10 + seq));
  CHECK_FALSE(install({1}, {{2}}, 1));
  REQUIRE(install({1}, {{2}}, 2));
  CHECK(ring_of({1}) == std::vector<std::int64_t>{14, 13});
}

TEST_CASE_METHOD(fanout_fixture, "no home is taken before the log reader has begun", "[fanout]") {
  handle =
      actors.spawn(fanout,
                   fanout_dependencies{
                       .rings = rings, .position = position, .caches = {}, .clock = actors.clock()},
                   fanout_options{});
  CHECK_FALSE(install({1}, {}, 5));
  send({}, 5);
  CHECK_FALSE(install({1}, {}, 4));
  CHECK(install({1}, {}, 5));
}

TEST_CASE_METHOD(fanout_fixture, "a read waits until what it must see is applied", "[fanout]") {
  start({.waiting_max = 1});
  const auto early = await(1);
  const auto refused = await(1);
  CHECK_FALSE(*early);
  REQUIRE(*refused);
  CHECK(code_of(**refused) == errc::unavailable);
  CHECK(report().waiting_reads == 1);
  apply(create(1, {2}, 10));
  REQUIRE(*early);
  CHECK_FALSE(**early);
  const auto late = await(1);
  REQUIRE(*late);
  CHECK_FALSE(**late);
}

TEST_CASE_METHOD(fanout_fixture, "small fan-outs pass a large one, and are not starved by it",
                 "[fanout]") {
  start({.slice_max = 10});
  for (auto viewer = 1; viewer <= 100; ++viewer)
    REQUIRE(install({viewer}, {{500}}, 0));
  REQUIRE(install({200}, {{501}}, 0));
  send({create(1, {500}, 10), create(2, {501}, 11)}, 2);
  actors.settle_partly(1);
  CHECK(ring_of({200}) == std::vector<std::int64_t>{11});
  CHECK(position->applied() == 0);
  CHECK(rings->counters().appends < 20);
  actors.settle();
  CHECK(position->applied() == 2);
  for (auto viewer = 1; viewer <= 100; ++viewer)
    REQUIRE(ring_of({viewer}) == std::vector<std::int64_t>{10});
}

TEST_CASE_METHOD(fanout_fixture, "a slice of a large fan-out follows each slice of small ones",
                 "[fanout]") {
  start({.slice_max = 10});
  for (auto viewer = 1; viewer <= 30; ++viewer)
    REQUIRE(install({viewer}, {{500}}, 0));
  auto rows = std::vector<log_entry>{create(1, {500}, 10)};
  for (auto seq = 2; seq <= 200; ++seq)
    rows.push_back(create(seq, {700}, 10 + seq));
  send(rows, 200);
  actors.settle_partly(4);
  CHECK(rings->counters().appends == 30);
  CHECK(report().waiting_large == 0);
}

TEST_CASE_METHOD(fanout_fixture, "fan-outs of one author keep their order", "[fanout]") {
  start({.slice_max = 10});
  for (auto viewer = 1; viewer <= 40; ++viewer) {
    REQUIRE(install({viewer}, {{501}}, 0));
    REQUIRE(install({100 + viewer}, {{500}}, 0));
  }
  auto gone = about(3, log_kind::remove, {object_kind::post, 0, 10});
  gone.author = {500};
  send({create(1, {501}, 9), create(2, {500}, 10)}, 2);
  actors.settle_partly(1);
  // So few are left that alone the second fan-out would be small, and pass.
  for (auto viewer = 101; viewer <= 135; ++viewer)
    rings->drop({viewer}, 9);
  send({gone}, 3);
  actors.settle();
  for (auto viewer = 136; viewer <= 140; ++viewer)
    REQUIRE(ring_of({viewer}).empty());
}

TEST_CASE_METHOD(fanout_fixture, "a tick counts when everything before it is applied", "[fanout]") {
  start({.slice_max = 10});
  for (auto viewer = 1; viewer <= 40; ++viewer)
    REQUIRE(install({viewer}, {{500}}, 0));
  const auto seen = std::chrono::steady_clock::time_point{50s};
  send({create(1, {500}, 10)}, 1, seen);
  actors.settle_partly(1);
  CHECK_FALSE(position->is_current(seen));
  actors.settle();
  CHECK(position->is_current(seen));
}

TEST_CASE_METHOD(fanout_fixture, "rings that nobody reads are dropped after a week", "[fanout]") {
  start();
  REQUIRE(install({1}, {}, 0));
  actors.advance(7 * 24h - 2h);
  CHECK(is_loaded({1}));
  actors.advance(3h);
  CHECK_FALSE(is_loaded({1}));
}
