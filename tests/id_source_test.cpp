#include "actors/id_source.hpp"
#include "actors/messages.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/test_storage.hpp"
#include "storage/node_store.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

struct id_fixture {
  kit::deterministic_system actors{5};
  kit::test_storage storage;

  std::shared_ptr<id_source> open(std::uint8_t slot = 3) {
    auto ids = open_id_source(storage.db(), slot, actors.clock());
    REQUIRE(ids);
    return *ids;
  }
  std::int64_t stored(std::uint8_t slot = 3) {
    return make_id(*ids_until(storage.db(), slot), slot, 0xff);
  }
};

} // namespace

TEST_CASE_METHOD(id_fixture, "ids rise, carry the slot and stay near the clock", "[id_source]") {
  const auto ids = open();
  auto last = std::int64_t{0};
  for (auto i = 0; i < 1000; ++i) {
    const auto id = ids->next();
    REQUIRE(id);
    CHECK(*id > last);
    CHECK(slot_of(*id) == 3);
    last = *id;
  }
  CHECK(time_of(last) - actors.now() < 10ms);
}

TEST_CASE_METHOD(id_fixture, "an id is greater than the author's last one", "[id_source]") {
  const auto ids = open();
  const auto floor = make_id(actors.now() + 5s, 9, 200);
  CHECK(*ids->next(floor) > floor);
}

TEST_CASE_METHOD(id_fixture, "no id lies above what is stored", "[id_source]") {
  const auto ids = open();
  CHECK(*ids->next(stored() - (std::int64_t{1} << 17)) <= stored());
  const auto beyond = ids->next(stored());
  REQUIRE_FALSE(beyond);
  CHECK(code_of(beyond.error()) == errc::unavailable);
  actors.step_wall_clock(2h);
  CHECK_FALSE(ids->next());
}

TEST_CASE_METHOD(id_fixture, "a process that starts again begins above the reserve",
                 "[id_source]") {
  auto highest = std::int64_t{0};
  for (auto start = 0; start < 50; ++start) {
    const auto ids = open();
    const auto id = ids->next();
    REQUIRE(id);
    CHECK(*id > highest);
    highest = std::max(stored(), *id);
    actors.step_wall_clock(start % 2 == 0 ? 1s : -1h); // also when the clock steps back
  }
}

TEST_CASE_METHOD(id_fixture, "restarts do not carry the ids away from the clock", "[id_source]") {
  for (auto start = 0; start < 50; ++start) {
    const auto ids = open();
    CHECK(time_of(*ids->next()) - actors.now() < 25s);
    actors.step_wall_clock(1s);
  }
}

TEST_CASE_METHOD(id_fixture, "the keeper stays ahead with one row per ten seconds", "[id_source]") {
  const auto handles = storage.start(actors);
  const auto ids = open();
  actors.spawn(id_keeper, handles, ids);
  const auto before = storage.db().rows_written();
  for (auto second = 0; second < 100; ++second) {
    actors.advance(1s);
    REQUIRE(ids->next());
  }
  CHECK(storage.db().rows_written() - before <= 10);
  CHECK(stored() > make_id(actors.now() + 9s, 3, 0));
}

TEST_CASE_METHOD(id_fixture, "the keeper catches up after a step of the clock",
                 "[id_source][F32]") {
  const auto handles = storage.start(actors);
  const auto ids = open();
  actors.spawn(id_keeper, handles, ids);
  actors.step_wall_clock(2h);
  CHECK_FALSE(ids->next());
  actors.advance(2s);
  const auto late = ids->next();
  REQUIRE(late);
  actors.step_wall_clock(-4h);
  const auto back = ids->next();
  REQUIRE(back);
  CHECK(*back > *late);
}

TEST_CASE_METHOD(id_fixture, "the keeper tries again when storage fails", "[id_source]") {
  const auto handles = storage.start(actors);
  const auto ids = open();
  storage.faults().at_call = [](std::int64_t) { return make_error(errc::storage_busy); };
  actors.spawn(id_keeper, handles, ids);
  actors.advance(30s);
  CHECK_FALSE(ids->next());
  storage.faults().at_call = nullptr;
  actors.advance(2s);
  CHECK(ids->next());
}

TEST_CASE_METHOD(id_fixture, "threads never get the same id", "[id_source]") {
  const auto ids = open();
  auto taken = std::vector<std::vector<std::int64_t>>(4);
  auto threads = std::vector<std::thread>{};
  for (auto& mine : taken)
    threads.emplace_back([&ids, &mine] {
      for (auto i = 0; i < 2000; ++i)
        mine.push_back(*ids->next());
    });
  for (auto& thread : threads)
    thread.join();
  auto all = std::vector<std::int64_t>{};
  for (const auto& mine : taken) {
    CHECK(std::ranges::is_sorted(mine));
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::ranges::sort(all);
  CHECK(std::ranges::adjacent_find(all) == all.end());
}
