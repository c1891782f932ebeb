#include "protocol/errc.hpp"

#include <caf/sec.hpp>

#include <catch2/catch.hpp>

using namespace trunkline;
using namespace std::chrono_literals;

TEST_CASE("a failure says what it is about, and until when if it knows", "[errc]") {
  const auto bare = make_error(errc::unavailable);
  CHECK(code_of(bare) == errc::unavailable);
  CHECK(context_of(bare) == "unavailable");
  CHECK_FALSE(until_of(bare));
  const auto told = make_error(errc::not_found, "post");
  CHECK(context_of(told) == "post");
  CHECK_FALSE(until_of(told));
  const auto passing = make_error(errc::unavailable, "host", time_point{7us});
  CHECK(code_of(passing) == errc::unavailable);
  CHECK(context_of(passing) == "host");
  CHECK(until_of(passing) == time_point{7us});
}

TEST_CASE("a failure of the actor system is a timeout or a crash", "[errc]") {
  const auto late = caf::error{caf::sec::request_timeout};
  CHECK(code_of(late) == errc::timed_out);
  CHECK(code_of(caf::sec::request_receiver_down) == errc::crashed);
  CHECK_FALSE(until_of(late));
}
