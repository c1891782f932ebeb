#include "protocol/time.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

TEST_CASE("times are written as Mastodon writes them", "[time]") {
  CHECK(to_iso8601(time_point{0s}) == "1970-01-01T00:00:00.000Z");
  CHECK(to_iso8601(time_point{1'795'627'185s + 123'456us}) == "2026-11-25T17:19:45.123Z");
  CHECK(to_iso8601(time_point{-1us}) == "1969-12-31T23:59:59.999Z");
  CHECK(to_iso8601_date(time_point{1'795'627'185s}) == "2026-11-25");
}

TEST_CASE("years that have no four digits are clamped", "[time]") {
  CHECK(to_iso8601(time_point::max()) == "9999-12-31T23:00:00.000Z");
  CHECK(to_iso8601(time_point::min()) == "0000-01-01T00:00:00.000Z");
}
