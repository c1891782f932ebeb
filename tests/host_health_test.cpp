#include "protocol/host_health.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <utility>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using enum host_state;

constexpr auto states =
    std::to_array({unproven, healthy, slow, suspended, probing, recovering, dormant, dead});
constexpr auto events = std::to_array(
    {host_event::succeeded, host_event::slowed, host_event::sped_up, host_event::failed_often,
     host_event::retry_due, host_event::failed, host_event::failed_for_week,
     host_event::failed_for_month, host_event::caught_up});

/// Everything that changes a state, by the words of the architecture.
const auto changes = std::map<std::pair<host_state, host_event>, host_state>{
    {{unproven, host_event::succeeded}, healthy},
    {{unproven, host_event::failed_often}, suspended},
    {{healthy, host_event::slowed}, slow},
    {{healthy, host_event::failed_often}, suspended},
    {{slow, host_event::sped_up}, healthy},
    {{slow, host_event::failed_often}, suspended},
    {{recovering, host_event::caught_up}, healthy},
    {{recovering, host_event::failed_often}, suspended},
    {{suspended, host_event::retry_due}, probing},
    {{suspended, host_event::succeeded}, recovering},
    {{dormant, host_event::retry_due}, probing},
    {{dormant, host_event::succeeded}, recovering},
    {{dead, host_event::retry_due}, probing},
    {{dead, host_event::succeeded}, recovering},
    {{probing, host_event::succeeded}, recovering},
    {{probing, host_event::failed}, suspended},
    {{probing, host_event::failed_for_week}, dormant},
    {{probing, host_event::failed_for_month}, dead},
};

} // namespace

TEST_CASE("a host changes its state as the table says, and not otherwise", "[host_health]") {
  for (const auto state : states)
    for (const auto event : events) {
      CAPTURE(to_string(state), static_cast<int>(event));
      const auto change = changes.find({state, event});
      CHECK(next(state, event) == (change == changes.end() ? state : change->second));
    }
}

TEST_CASE("only probes are sent to a host that is withheld", "[host_health]") {
  for (const auto state : states) {
    const auto expected =
        state == suspended || state == probing || state == dormant || state == dead;
    CHECK(is_withheld(state) == expected);
  }
}

TEST_CASE("states are stored by number, and a probe as a suspension", "[host_health]") {
  for (const auto state : states)
    CHECK(host_state_of(static_cast<std::int64_t>(state)) ==
          (state == probing ? suspended : state));
  CHECK_FALSE(host_state_of(0));
  CHECK_FALSE(host_state_of(9));
  CHECK_FALSE(host_state_of(-1));
}

TEST_CASE("a host that nothing reaches is dormant after a week and dead after a month",
          "[host_health]") {
  CHECK(probe_failure(0s) == host_event::failed);
  CHECK(probe_failure(7 * 24h - 1us) == host_event::failed);
  CHECK(probe_failure(7 * 24h) == host_event::failed_for_week);
  CHECK(probe_failure(30 * 24h - 1us) == host_event::failed_for_week);
  CHECK(probe_failure(30 * 24h) == host_event::failed_for_month);
}

TEST_CASE("the wait doubles with each failure up to its cap", "[host_health]") {
  struct example {
    std::int64_t streak;
    std::chrono::microseconds failing_for;
    std::chrono::microseconds whole;
  };
  for (const auto& [streak, failing_for, whole] : std::to_array<example>({
           {1, 0s, 1s},
           {2, 0s, 2s},
           {3, 0s, 2s},
           {4, 0s, 4s},
           {5, 0s, 8s},
           {13, 0s, 2048s},
           {14, 0s, 1h},
           {1'000'000, 23h, 1h},
           {16, 24h, 16'384s},
           {100, 24h, 6h},
           {100, 7 * 24h - 1us, 6h},
           {100, 7 * 24h, 24h},
           {100, 300 * 24h, 24h},
       })) {
    CAPTURE(streak, failing_for.count());
    CHECK(backoff(streak, failing_for, 1) == whole);
    CHECK(backoff(streak, failing_for, 0) == whole / 2);
    CHECK(backoff(streak, failing_for, 7) == whole); // no chance is more than 1
  }
}

TEST_CASE("F23: a host that is down for a week sees at most 90 tries", "[host_health]") {
  auto tries = 0;
  auto at = std::chrono::microseconds{0};
  for (; at < 7 * 24h; ++tries)
    at += backoff(tries + 1, at, 0); // the shortest waits
  CHECK(tries <= 120);
  tries = 0;
  for (at = 0s; at < 7 * 24h; ++tries)
    at += backoff(tries + 1, at, 0.5);
  CHECK(tries <= 90);
}

TEST_CASE("a full window grows by one over itself", "[request_window]") {
  auto window = request_window{};
  CHECK(window.size() == 2);
  window.succeed(1, 10ms, false); // not full
  CHECK(window.size() == 2);
  window.succeed(2, 10ms, false);
  window.succeed(2, 10ms, false);
  CHECK(window.size() == 2); // 2 + 1/2 + 1/2.5
  window.succeed(2, 10ms, false);
  CHECK(window.size() == 3);
  for (auto more = 0; more < 1'000; ++more)
    window.succeed(window.size(), 10ms, false);
  CHECK(window.size() == 16);
}

TEST_CASE("a window halves once for all that was sent before the halving", "[request_window]") {
  auto window = request_window{};
  window.restore(16);
  window.fail(5, 9);
  CHECK(window.size() == 8);
  window.fail(6, 12); // sent before the last halving
  window.fail(9, 12);
  CHECK(window.size() == 8);
  window.fail(10, 12);
  CHECK(window.size() == 4);
  window.fail(20, 20);
  window.fail(21, 21);
  window.fail(22, 22);
  CHECK(window.size() == 1);
}

TEST_CASE("a window does not grow while answers are slow", "[request_window]") {
  auto window = request_window{};
  for (auto more = 0; more < 50; ++more)
    window.succeed(window.size(), 3'500ms, false);
  CHECK(window.size() == 2);
  auto worse = request_window{};
  worse.succeed(1, 100ms, false);
  for (auto more = 0; more < 50; ++more)
    worse.succeed(worse.size(), 900ms, false); // over four times the fastest
  CHECK(worse.size() <= 4);
}

TEST_CASE("a window doubles with each round while its host recovers", "[request_window]") {
  auto window = request_window{};
  window.reset_to_min();
  CHECK(window.size() == 1);
  for (const auto expected : {2, 4, 8, 16, 16}) {
    for (auto answers = window.size(); answers > 0; --answers)
      window.succeed(1, 10ms, true);
    CHECK(window.size() == expected);
  }
}

TEST_CASE("the mean of a minute forgets what is older", "[host_health]") {
  auto mean = minute_mean{};
  const auto begin = time_point{1'000s};
  CHECK(mean.at(begin) == 0us);
  mean.note(4s, begin);
  mean.note(2s, begin + 20s);
  CHECK(mean.at(begin + 20s) == 3s);
  CHECK(mean.at(begin + 59s) == 3s);
  CHECK(mean.at(begin + 61s) == 2s);
  mean.note(1s, begin + 62s); // takes the room of the first
  CHECK(mean.at(begin + 62s) == 1'500ms);
  CHECK(mean.at(begin + 200s) == 0us);
  CHECK(mean.at(begin - 100s) == 0us); // a clock that was set back
}

TEST_CASE("a stored window stays within its limits", "[request_window]") {
  auto window = request_window{};
  window.restore(99);
  CHECK(window.size() == 16);
  window.restore(-3);
  CHECK(window.size() == 1);
}
