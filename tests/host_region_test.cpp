// A region of hosts stops some of them, and starts none that is not of its node.
#include "actors/messages.hpp"
#include "actors/shard_places.hpp"
#include "actors/shard_region.hpp"
#include "kit/deaf_host.hpp"
#include "kit/deterministic_system.hpp"
#include "protocol/shard.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace trunkline;
using namespace std::chrono_literals;

namespace {

host_address named(const std::string& name) {
  return {"https", name, 443};
}

/// What the hosts of the test share.
struct host_stage {
  std::map<host_address, remote_host_handle> running;
  int started = 0;
  bool is_busy = false; ///< Those told to stop go on, until they are woken.
  std::vector<std::string> heard;
};

/// A host that is stopped says a last word to `listener`.
remote_host_handle::behavior_type last_worded(remote_host_handle::pointer self, host_stage* stage,
                                              const host_address&, caf::actor listener) {
  const auto end = [=] {
    caf::anon_send(listener, std::string{"last word"});
    self->quit(caf::exit_reason::user_shutdown);
  };
  const auto stops = std::make_shared<bool>(false);
  self->set_exit_handler([=](caf::exit_msg&) {
    *stops = true;
    if (!stage->is_busy)
      end();
  });
  return kit::deaf_host([](const offer_units&) -> caf::result<void> { return caf::unit; },
                        [](const wake_host&) {},
                        [=](const note_sign_of_life&) {
                          if (*stops)
                            end();
                        });
}

/// Hears the last words of hosts; told to, it has the region stop them all.
caf::behavior listener(caf::event_based_actor* self, host_stage* stage,
                       const host_stopper_handle& region) {
  return {
      [=](const std::string& word) {
        if (word != "stop them")
          return stage->heard.push_back(word);
        self->request(region, 20s, stop_hosts{[](const host_address&) { return true; }}).then([=] {
          stage->heard.push_back("stopped");
        });
      },
  };
}

struct host_region_fixture {
  kit::deterministic_system actors;
  host_stage stage;
  shard_places places{all_shards()};
  std::shared_ptr<region_counters> counters = std::make_shared<region_counters>();
  caf::actor ear;
  region_of<remote_host_handle> region;

  explicit host_region_fixture(std::uint64_t seed = 0) : actors{seed} {
    auto start = [this](const host_address& host, const host_passivator_handle&) {
      ++stage.started;
      return stage.running[host] = actors.spawn(last_worded, &stage, host, ear);
    };
    region = actors.spawn(shard_region<remote_host_handle>, start, counters,
                          region_options_of<host_address>{
                              .kind = "hosts", .may_start = [this](const host_address& host) {
                                return places.has(host);
                              }});
    ear = actors.spawn(listener, &stage, caf::actor_cast<host_stopper_handle>(region));
  }
  ~host_region_fixture() { stage.running.clear(); }

  kit::pending_done offer(const std::string& name) {
    auto done = actors.start_done(region, offer_units{.host = named(name)});
    actors.settle();
    return done;
  }
  kit::pending_done stop(const std::string& name) {
    auto done = actors.start_done(
        region, stop_hosts{[name](const host_address& host) { return host.name == name; }});
    actors.settle();
    return done;
  }
  /// A busy host that was told to stop ends.
  void end(const std::string& name) {
    caf::anon_send(stage.running.at(named(name)), note_sign_of_life{});
    actors.settle();
  }
};

} // namespace

TEST_CASE_METHOD(host_region_fixture, "hosts that are stopped together are answered for together",
                 "[shard_region][shards]") {
  for (const auto* name : {"a.example", "b.example", "c.example"})
    offer(name);
  stage.is_busy = true;
  caf::anon_send(region, passivate_host{named("a.example")}); // stops already
  actors.settle();
  auto stopped = actors.start_done(
      region, stop_hosts{[](const host_address& host) { return host.name != "c.example"; }});
  actors.settle();
  CHECK_FALSE(stopped.ready());
  end("b.example");
  CHECK_FALSE(stopped.ready());
  end("a.example");
  REQUIRE(stopped.ready());
  CHECK_FALSE(stopped.failure());
  CHECK(counters->active == 1);
  CHECK(counters->passivated == 2);
  CHECK_FALSE(offer("c.example").failure());
  CHECK(stage.started == 3);
}

TEST_CASE_METHOD(host_region_fixture, "where no host runs nothing is waited for",
                 "[shard_region][shards]") {
  const auto stopped = stop("a.example");
  REQUIRE(stopped.ready());
  CHECK_FALSE(stopped.failure());
}

TEST_CASE_METHOD(host_region_fixture, "a host that is not of this node is not started",
                 "[shard_region][shards]") {
  offer("a.example");
  places.remove(all_shards());
  CHECK_FALSE(offer("a.example").failure()); // it runs
  const auto refused = offer("b.example");
  REQUIRE(refused.ready());
  CHECK(code_of(refused.failure()) == errc::unavailable);
  CHECK(stage.started == 1);
  CHECK(counters->refused == 1);

  stage.is_busy = true;
  const auto stopped = stop("a.example");
  const auto late = offer("a.example"); // for one that stops nothing waits
  REQUIRE(late.ready());
  CHECK(code_of(late.failure()) == errc::unavailable);
  end("a.example");
  REQUIRE(stopped.ready());
  places.add(shard_set{}.set(host_shard(named("a.example"))));
  stage.is_busy = false;
  CHECK_FALSE(offer("a.example").failure());
  REQUIRE(host_shard(named("a.example")) != host_shard(named("b.example")));
  CHECK(offer("b.example").failure());
  CHECK(stage.started == 2);
}

TEST_CASE_METHOD(host_region_fixture, "what waits for a host that stops is refused if it has left",
                 "[shard_region][shards]") {
  offer("a.example");
  stage.is_busy = true;
  const auto stopped = stop("a.example");
  const auto waiting = offer("a.example");
  CHECK_FALSE(waiting.ready());
  places.remove(all_shards());
  end("a.example");
  REQUIRE(waiting.ready());
  CHECK(code_of(waiting.failure()) == errc::unavailable);
  CHECK(stopped.ready());
}

TEST_CASE("the last word of a host is heard before the region says that it is gone",
          "[shard_region][shards]") {
  for (auto seed = std::uint64_t{1}; seed <= 200; ++seed) {
    CAPTURE(seed);
    auto here = host_region_fixture{seed};
    here.offer("a.example");
    here.offer("b.example");
    caf::anon_send(here.ear, std::string{"stop them"});
    here.actors.settle();
    CHECK(here.stage.heard == std::vector<std::string>{"last word", "last word", "stopped"});
  }
}
