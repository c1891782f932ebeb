#include "protocol/errc.hpp"
#include "protocol/ids.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto noon = time_point{1'795'608'000s};

} // namespace

TEST_CASE("an id holds its time, its slot and its counter", "[ids]") {
  const auto id = make_id(noon + 7ms + 9us, 3, 200);
  CHECK(time_of(id) == noon + 7ms);
  CHECK(slot_of(id) == 3);
  CHECK((id & 0xff) == 200);
}

TEST_CASE("the next id is above the floor, of the own slot, and as small as can be", "[ids]") {
  CHECK(next_id(noon, 2, 0) == make_id(noon, 2, 0));
  CHECK(next_id(noon, 2, make_id(noon, 2, 0)) == make_id(noon, 2, 1));
  CHECK(next_id(noon, 2, make_id(noon, 2, 255)) == make_id(noon + 1ms, 2, 0));
  CHECK(next_id(noon, 2, make_id(noon, 1, 255)) == make_id(noon, 2, 0));
  CHECK(next_id(noon, 2, make_id(noon, 3, 0)) == make_id(noon + 1ms, 2, 0));
}

TEST_CASE("ids go on rising when the clock steps back", "[ids]") {
  auto last = make_id(noon, 1, 0);
  for (auto step = 0; step < 1000; ++step) {
    const auto id = next_id(noon - 2h, 1, last);
    REQUIRE(id > last);
    REQUIRE(slot_of(id) == 1);
    last = id;
  }
}

TEST_CASE("what cannot be an id names nothing", "[ids]") {
  CHECK(parse_id("42").cvalue() == 42);
  for (const auto* text : {"", "0", "-1", "+1", " 1", "1 ", "01", "1e3", "0x1",
                           "9223372036854775808", "99999999999999999999"}) {
    CAPTURE(text);
    const auto id = parse_id(text);
    REQUIRE_FALSE(id);
    CHECK(code_of(id.error()) == errc::not_found);
  }
}
