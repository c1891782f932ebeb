#include "actors/watchdog.hpp"

#include "actors/watched_actor.hpp"
#include "kit/deterministic_system.hpp"
#include "kit/remote_host_fixture.hpp"

#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

using probe_handle = caf::typed_actor<caf::reacts_to<caf::tick_atom>>;

class probe_state {
public:
  explicit probe_state(probe_handle::pointer) {}
};

/// Calls `in_turn` at each tick.
probe_handle::behavior_type probe(watched_pointer<probe_handle, probe_state> self,
                                  std::function<void(probe_handle::pointer)> in_turn) {
  self->set_label("probe 7");
  return {[self, in_turn](caf::tick_atom) { in_turn(self); }};
}

/// The same actor as one that blocks by intent.
probe_handle::behavior_type unwatched_probe(probe_handle::stateful_pointer<probe_state> self,
                                            std::function<void(probe_handle::pointer)> in_turn) {
  return {[self, in_turn](caf::tick_atom) { in_turn(self); }};
}

const char* word_of(stuck_news news) {
  if (news == stuck_news::began)
    return "began ";
  return news == stuck_news::lasts ? "lasts " : "ended ";
}

/// An actor system and its watchdog, which is told to look while an actor has its turn.
struct scene {
  kit::deterministic_system actors{};
  std::vector<std::string> told;
  watchdog dog{actors.system(), actors.clock(), [this](stuck_news news, const stuck_actor& stuck) {
                 told.push_back(word_of(news) + stuck.name);
               }};

  /// One look a second.
  void look(int times) {
    while (times-- > 0) {
      dog.look();
      actors.step_wall_clock(1s);
    }
  }

  template <class Probe>
  probe_handle take_turn(Probe probe, std::function<void(probe_handle::pointer)> in_turn) {
    auto actor = actors.spawn(probe, std::move(in_turn));
    tick(actor);
    return actor;
  }

  void tick(const probe_handle& actor) {
    caf::anon_send(actor, caf::tick_atom_v);
    actors.settle();
  }
};

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("an actor that keeps its thread is named after five seconds", "[watchdog][F36]") {
  auto on = scene{};
  on.take_turn(probe, [&on](probe_handle::pointer) {
    on.actors.step_wall_clock(1s);
    const auto first = on.actors.now();
    on.look(5);
    CHECK(on.told.empty());
    CHECK(on.dog.stuck().empty());
    on.look(1);
    CHECK(on.told == texts{"began probe 7"});
    const auto stuck = on.dog.stuck();
    REQUIRE(stuck.size() == 1);
    CHECK(stuck[0].name == "probe 7");
    CHECK(stuck[0].since == first);
  });
  CHECK(on.told.size() == 1);
}

TEST_CASE("of an actor that is stuck the watchdog tells once a minute, and when it goes on",
          "[watchdog]") {
  auto on = scene{};
  on.take_turn(probe, [&on](probe_handle::pointer) {
    on.look(6 + 59);
    CHECK(on.told == texts{"began probe 7"});
    on.look(1);
    CHECK(on.told == texts{"began probe 7", "lasts probe 7"});
    on.look(60);
  });
  on.look(2);
  CHECK(on.told == texts{"began probe 7", "lasts probe 7", "lasts probe 7", "ended probe 7"});
  CHECK(on.dog.stuck().empty());
}

TEST_CASE("an actor that has many short turns, or none, is not stuck", "[watchdog]") {
  auto on = scene{};
  auto turns = 0;
  const auto actor = on.take_turn(probe, [&](probe_handle::pointer) {
    ++turns;
    on.look(5);
  });
  for (auto again = 0; again < 10; ++again)
    on.tick(actor);
  on.look(100);
  CHECK(turns == 11);
  CHECK(on.told.empty());
}

TEST_CASE("what blocks by intent is not reported", "[watchdog]") {
  auto on = scene{};
  auto turns = 0;
  on.take_turn(unwatched_probe, [&](probe_handle::pointer) {
    ++turns;
    on.look(100);
  });
  CHECK(turns == 1);
  CHECK(on.told.empty());
}

TEST_CASE("an actor that was stuck and has ended went on", "[watchdog]") {
  auto on = scene{};
  on.take_turn(probe, [&on](probe_handle::pointer self) {
    on.look(6);
    self->quit();
  });
  on.actors.restart(); // nobody holds it any more
  on.look(10);
  CHECK(on.told == texts{"began probe 7", "ended probe 7"});
}

TEST_CASE("a watchdog is silent about another actor system", "[watchdog]") {
  auto mine = scene{};
  auto other = scene{};
  other.take_turn(probe, [&](probe_handle::pointer) {
    mine.look(10);
    other.look(10);
  });
  CHECK(mine.told.empty());
  CHECK(other.told == texts{"began probe 7"});
}

TEST_CASE("actors may begin and end while somebody looks", "[watchdog][threads]") {
  constexpr auto threads = 4;
  constexpr auto actors_each = 5'000;
  constexpr auto name = "an actor whose name is so long that it lies on the heap";
  auto on = scene{};
  const auto& system = on.actors.system();
  auto working = std::atomic<int>{threads};
  auto at_work = std::vector<std::jthread>{};
  for (auto number = 0; number < threads; ++number)
    at_work.emplace_back([&system, &working] {
      for (auto count = 0; count < actors_each; ++count) {
        auto label = actor_label{system};
        const auto turn = actor_turn{label};
        label.set(name);
      }
      --working;
    });
  auto wrong = 0;
  while (working > 0)
    for (const auto& turn : open_turns(system))
      wrong += turn.actor == name || turn.actor == "an actor without a label" ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE("the watchdog looks by itself once it has begun", "[watchdog][threads]") {
  auto actors = kit::deterministic_system{};
  auto label = actor_label{actors.system()};
  label.set("probe 8");
  auto named = std::promise<std::string>{};
  auto heard = named.get_future();
  auto dog = watchdog{actors.system(),
                      actors.clock(),
                      [&named](stuck_news news, const stuck_actor& stuck) {
                        if (news == stuck_news::began)
                          named.set_value(stuck.name);
                      },
                      {.interval = 1ms, .turn_max = 5ms, .reminder = 1'000'000ms}};
  const auto turn = actor_turn{label};
  dog.begin();
  REQUIRE(heard.wait_for(60s) == std::future_status::ready);
  CHECK(heard.get() == "probe 8");
}

TEST_CASE_METHOD(kit::remote_host_scene::remote_host_fixture,
                 "the actor of a host is called by the host", "[watchdog]") {
  auto names = texts{};
  peers->set_rule("far.example", [&](const outgoing_request&) {
    for (const auto& turn : open_turns(actors.system()))
      names.push_back(turn.actor);
    return kit::peer_answer{};
  });
  actors.start<fetched_document>(hosts, fetch_document{.host = address(),
                                                       .url = "https://far.example/actor",
                                                       .accept = "application/activity+json",
                                                       .is_signed = false});
  settle();
  CHECK(names == texts{"remote_host https://far.example:443"});
}
