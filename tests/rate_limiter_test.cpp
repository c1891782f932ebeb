#include "api/rate_limiter.hpp"

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

constexpr auto start = time_point{1'000s};

} // namespace

TEST_CASE("requests past the limit are refused until the window ends", "[rate_limiter]") {
  auto limiter = rate_limiter{{.requests = 3, .window = 60s}};
  CHECK(limiter.count("a", start).remaining == 2);
  CHECK(limiter.count("a", start + 1s).remaining == 1);
  const auto last = limiter.count("a", start + 2s);
  CHECK(last.remaining == 0);
  CHECK_FALSE(last.exceeded);
  CHECK(last.reset == start + 60s);
  CHECK(limiter.count("a", start + 59s).exceeded);
  CHECK_FALSE(limiter.count("b", start + 59s).exceeded);
  CHECK_FALSE(limiter.count("a", start + 60s).exceeded);
}

TEST_CASE("looking does not count", "[rate_limiter]") {
  auto limiter = rate_limiter{{.requests = 1, .window = 60s}};
  CHECK(limiter.look("a", start).remaining == 1);
  CHECK(limiter.look("a", start).remaining == 1);
  CHECK(limiter.callers() == 0);
}

TEST_CASE("callers past the table's limit share one count", "[rate_limiter]") {
  auto limiter = rate_limiter{{.requests = 1, .window = 60s, .callers_max = 2}};
  limiter.count("a", start);
  limiter.count("b", start);
  CHECK_FALSE(limiter.count("c", start).exceeded);
  CHECK(limiter.count("d", start).exceeded);
  CHECK(limiter.callers() <= 3);
  // Those whose window ended make room.
  CHECK_FALSE(limiter.count("e", start + 60s).exceeded);
  CHECK(limiter.callers() <= 3);
}

TEST_CASE("an IPv6 customer is one caller, whichever of his addresses he uses", "[rate_limiter]") {
  CHECK(address_bucket("2001:db8:1:2::1") == address_bucket("2001:db8:1:2:ffff::9"));
  CHECK(address_bucket("2001:db8:1:2::1") != address_bucket("2001:db8:1:3::1"));
  CHECK(address_bucket("192.0.2.1") == "192.0.2.1");
  CHECK(address_bucket("unknown") == "unknown");
}
