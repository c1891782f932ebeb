#include "kit/inbox_lane_fixture.hpp"

using namespace trunkline;
using namespace trunkline::kit;
using namespace trunkline::kit::inbox_lane_scene;
using namespace std::chrono_literals;

TEST_CASE("killed at any step, each arrival is applied exactly once", "[inbox_lane][kill][I3]") {
  for (auto steps = std::size_t{0}; steps < 90; ++steps) {
    CAPTURE(steps);
    auto here = lane_fixture{steps + 1};
    here.start();
    here.follows("1");
    here.boosts("2", "https://v.example/n/1");
    here.follows("3");
    here.follows("4", f_example);
    caf::anon_send(here.lanes, wake_inbox{e_example});
    here.actors.settle_partly(steps);
    here.script->unanswered_posts.clear();
    here.actors.restart();
    here.start();
    here.actors.settle();
    here.actors.advance(5s);
    CHECK(here.ends() == "1111");
    auto effects = here.effects();
    std::ranges::sort(effects);
    CHECK(effects == words{"1", "2", "3", "4"});
  }
}

TEST_CASE("a lane that dies alone leaves its work to the next", "[inbox_lane][kill]") {
  for (auto steps = std::size_t{0}; steps < 40; ++steps) {
    CAPTURE(steps);
    auto here = lane_fixture{steps + 1};
    const auto handles = here.storage.start(here.actors);
    const auto region = host_passivator_handle{};
    here.follows("1");
    here.follows("2");
    auto first =
        here.actors.spawn(inbox_lane, e_example, here.dependencies(handles, region), here.options);
    here.actors.settle_partly(steps);
    here.actors.kill(first); // its job may be with the writer still
    here.actors.spawn(inbox_lane, e_example, here.dependencies(handles, region), here.options);
    here.actors.settle();
    CHECK(here.ends() == "11");
    CHECK(here.effects() == words{"1", "2"});
  }
}

TEST_CASE("a commit whose answer is lost is not applied again", "[inbox_lane][kill]") {
  auto here = lane_fixture{};
  here.start();
  here.actors.settle();
  here.follows("1");
  here.follows("2");
  auto lost = 0;
  here.storage.faults().after_commit = [&](std::int64_t) -> caf::error {
    return lost++ == 0 ? make_error(errc::commit_unknown, "lost") : caf::error{};
  };
  here.wake();
  CHECK(lost == 1);
  here.actors.advance(6s);
  CHECK(here.ends() == "11");
  CHECK(here.effects() == words{"1", "2"});
  CHECK(here.applications == 2);
}

TEST_CASE("every call of storage fails once, and nothing is lost or doubled",
          "[inbox_lane][faults]") {
  for (auto failing = std::int64_t{1}; failing < 25; ++failing) {
    CAPTURE(failing);
    auto here = lane_fixture{};
    here.start();
    here.actors.settle();
    here.follows("1");
    here.follows("2");
    const auto first = here.storage.faults().calls;
    here.storage.faults().at_call = [&](std::int64_t call) -> caf::error {
      return call == first + failing ? make_error(errc::storage_busy, "once") : caf::error{};
    };
    here.wake();
    here.actors.advance(11s);
    CHECK(here.ends() == "11");
    CHECK(here.effects() == words{"1", "2"});
  }
}
