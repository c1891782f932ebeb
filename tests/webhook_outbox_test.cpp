#include "actors/webhook_outbox.hpp"

#include "actors/messages.hpp"
#include "kit/delivery_world.hpp"
#include "tests/kit/both_databases.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

host_state_event state_of(int number) {
  return {.at = time_point{} + std::chrono::hours{number}, .host = "far.example", .state = "up"};
}

/// Deliveries with an outbox: what the database has of both.
struct outbox_world : kit::delivery_world {
  explicit outbox_world(std::uint64_t seed = 0) : delivery_world{options(seed)} {
    at = add_host("far.example", 1);
  }

  static kit::delivery_world_options options(std::uint64_t seed) {
    auto made = kit::delivery_world_options{};
    made.seed = seed;
    made.with_outbox = true;
    return made;
  }

  void post(int count) {
    for (auto number = 0; number < count; ++number)
      write({.text = "post " + std::to_string(++written),
             .object = 1'000 + written,
             .extra = {at[0], at[1]}});
  }

  std::int64_t stored(const std::string& word) {
    return count("SELECT count(*) FROM webhook_outbox WHERE message LIKE '%" + word + "'");
  }

  std::vector<endpoint_id> at;
  int written = 0;
};

} // namespace

TEST_CASE("an outbox keeps what is wanted, in order, until it is taken", "[webhook_outbox]") {
  auto wanted = event_kinds{};
  wanted.add(event_kind::host_state);
  auto outbox = webhook_outbox{wanted, "a", nullptr};
  outbox.add(state_of(1));
  outbox.add(delivery_event{.seq = 1});
  outbox.add(state_of(2));
  CHECK(outbox.waiting() == 2);
  const auto rows = outbox.take();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at < rows[1].at);
  CHECK(outbox.waiting() == 0);
  outbox.add(state_of(3));
  outbox.put_back(rows);
  CHECK(outbox.take().back().at == state_of(3).at);
  outbox.stored(7);
  outbox.stored(0);
  CHECK(outbox.end() == 7);
}

TEST_CASE("an outbox that nobody empties loses the oldest, and says so", "[webhook_outbox]") {
  auto told = 0;
  auto outbox = webhook_outbox{event_kinds::all(), "a", [&] { ++told; }, 3};
  for (auto number = 1; number <= 10; ++number)
    outbox.add(state_of(number));
  CHECK(outbox.waiting() == 3);
  CHECK(outbox.dropped() == 7);
  CHECK(told == 1);
  CHECK(outbox.take().front().at == state_of(8).at);
  outbox.stored(3);
  for (auto number = 1; number <= 4; ++number)
    outbox.add(state_of(number));
  CHECK(told == 2);
}

TEST_CASE("what hosts say is written with the checkpoint", "[webhook_outbox]") {
  auto world = outbox_world{};
  world.post(3);
  world.advance(3s);
  CHECK(world.stored("-delivery-delivered") == 6);
  CHECK(world.outbox->waiting() == 0);
  CHECK(world.stored("-host_state-changed") == 1);
  CHECK(world.outbox->end() == 7);
  world.peers->set_status("far.example", 400); // a dead letter
  world.post(1);
  world.advance(3s);
  CHECK(world.stored("-delivery-dead") == 2);
  world.peers->set_status("far.example", 503);
  world.post(1);
  world.advance(10min);
  CHECK(world.stored("-delivery-failed") >= 3); // each try
}

TEST_CASE("without an outbox nothing is written for webhooks", "[webhook_outbox]") {
  auto world = kit::delivery_world{};
  const auto at = world.add_host("far.example", 1);
  world.write({.text = "post", .object = 1'000, .extra = {at[0]}});
  world.advance(3s);
  REQUIRE(world.deliveries.size() == 1);
  CHECK(world.count("SELECT count(*) FROM webhook_outbox") == 0);
  CHECK(world.count("SELECT last_id FROM webhook_outbox_end") == 0);
}

TEST_CASE("a checkpoint that fails leaves neither, and both are written again",
          "[webhook_outbox]") {
  auto world = outbox_world{};
  world.advance(2s);
  world.post(2);
  world.settle();
  auto failed = 0;
  world.storage.faults().at_call = [&](std::int64_t) {
    ++failed;
    return make_error(errc::storage_busy, "busy");
  };
  world.advance(5s);
  REQUIRE(failed > 0);
  CHECK(world.count("SELECT count(*) FROM webhook_outbox") == 0);
  world.storage.faults().at_call = nullptr;
  world.advance(3s);
  CHECK(world.stored("-delivery-delivered") == 4);
}

TEST_CASE("a commit whose answer is lost writes each event once", "[webhook_outbox]") {
  auto world = outbox_world{};
  world.advance(2s);
  world.post(2);
  world.settle();
  auto lost = 0;
  world.storage.faults().after_commit = [&](std::int64_t) {
    return ++lost <= 3 ? make_error(errc::unavailable, "connection lost") : caf::error{};
  };
  world.advance(10s);
  CHECK(world.stored("-delivery-delivered") == 4);
  CHECK(world.stored("-host_state-changed") == 1);
  CHECK(world.count("SELECT last_id FROM webhook_outbox_end") == 5);
  world.post(1); // what was written twice holds up nothing
  world.advance(3s);
  CHECK(world.stored("-delivery-delivered") == 6);
}

TEST_CASE("whatever is settled for the database has its event there, killed at any moment",
          "[webhook_outbox][kill]") {
  for (auto seed = std::uint64_t{1}; seed <= 40; ++seed) {
    CAPTURE(seed);
    auto world = outbox_world{seed};
    for (auto round = 0; round < 6; ++round) {
      world.post(3);
      world.advance(
          std::chrono::milliseconds{(seed * 37 + static_cast<unsigned>(round) * 211) % 1'700});
      world.actors.settle_partly((seed * 13) % 29);
      world.restart();
    }
    world.advance(2min);
    REQUIRE(world.written == 18);
    // The last life has settled all; what an earlier one had settled was not delivered again.
    const auto rows = world.count("SELECT count(*) FROM log");
    CHECK(world.stored("-delivery-delivered") == rows * 2);
  }
}
