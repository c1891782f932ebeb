#include "engine/actor_home.hpp"

#include "actors/link_port.hpp"
#include "engine/embedding/virtual_world.hpp"

#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <thread>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// How long one group of actors may take to end.
constexpr auto end_limit = 5s;

/// Messages that one actor handles before it makes room for the others.
constexpr auto messages_per_turn = 100;

/// On any machine: an actor that keeps its thread must not be alone with everybody else.
constexpr auto threads_min = 2U;

/// Tells the actors to end and waits until they did, or the time is over. Returns whether they did.
bool end_in_threads(caf::actor_system& system, const std::vector<caf::actor>& actors) {
  auto self = caf::scoped_actor{system};
  for (const auto& actor : actors) {
    self->monitor(actor);
    self->send_exit(actor, caf::exit_reason::user_shutdown);
  }
  const auto end = std::chrono::steady_clock::now() + end_limit;
  for (auto left = actors.size(); left > 0; --left) {
    auto ended = false;
    self->receive([&](const caf::down_msg&) { ended = true; },
                  caf::after(std::max<std::chrono::nanoseconds>(
                      0ns, end - std::chrono::steady_clock::now())) >>
                      [] {});
    if (!ended)
      return false;
  }
  return true;
}

/// The same in a virtual world, where waiting means to move it.
bool end_in_turn(virtual_world& world, const std::vector<caf::actor>& actors) {
  const auto left = std::make_shared<std::size_t>(actors.size());
  for (const auto& actor : actors) {
    actor->attach_functor([left] { --*left; });
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
  world.run_until([&] { return *left == 0; }, end_limit);
  return *left == 0;
}

} // namespace

actor_home::actor_home(const node_options& options) : world_{options.world} {
  const auto threads = std::max(threads_min, std::thread::hardware_concurrency());
  config_.set("scheduler.policy", world_ ? caf::atom("testing") : caf::atom("sharing"));
  config_.set("scheduler.max-throughput", messages_per_turn);
  config_.set("scheduler.max-threads", threads);
  if (!options.config.values.cluster.node.empty())
    prepare_links(config_);
  system_ = std::make_unique<caf::actor_system>(config_);
  // A forgotten actor must not hang the exit: the order of the end is ours.
  system_->await_actors_before_shutdown(false);
  if (world_)
    world_->enter(*system_);
  else // CAF's printer ends: nobody writes through it, and it has a thread of its own
    caf::anon_send_exit(system_->scheduler().printer(), caf::exit_reason::user_shutdown);
}

actor_home::~actor_home() {
  if (world_)
    world_->leave(*system_);
}

bool actor_home::end(std::vector<caf::actor>& actors) {
  const auto all = world_ ? end_in_turn(*world_, actors) : end_in_threads(*system_, actors);
  actors.clear();
  return all;
}

} // namespace trunkline
