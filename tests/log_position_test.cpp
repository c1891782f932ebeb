#include "actors/log_position.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto start = log_position::steady_time{100s};

} // namespace

TEST_CASE("what is derived from the log is trusted for a second after a tick", "[log_position]") {
  auto position = log_position{};
  CHECK_FALSE(position.is_current(start));
  position.tick(start);
  CHECK(position.is_current(start + 1s));
  CHECK_FALSE(position.is_current(start + 1001ms));
  position.tick(start + 1s);
  CHECK(position.is_current(start + 2s));
}

TEST_CASE("what is derived from the log is not trusted behind a commit", "[log_position]") {
  auto position = log_position{};
  position.tick(start);
  position.commit(7);
  CHECK_FALSE(position.is_caught_up());
  CHECK_FALSE(position.is_current(start));
  position.apply(6);
  CHECK_FALSE(position.is_current(start));
  position.apply(7);
  CHECK(position.is_current(start));
}

TEST_CASE("a log position never goes back", "[log_position]") {
  auto position = log_position{};
  position.commit(7);
  position.commit(5);
  CHECK(position.committed() == 7);
  position.apply(4);
  position.apply(3);
  CHECK(position.applied() == 4);
  position.tick(start);
  position.tick(start - 5s);
  CHECK(position.is_current(start + 1s) == false);
  position.apply(7);
  CHECK(position.is_current(start + 1s));
}
