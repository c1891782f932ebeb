#include "engine/node_actors.hpp"

#include "actors/messages.hpp"
#include "actors/password_worker.hpp"

#include <caf/actor_cast.hpp>
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

template <class Handle>
caf::actor untyped(const Handle& handle) {
  return caf::actor_cast<caf::actor>(handle);
}

/// Tells the actors to end and waits until they did, or the time is over.
void end_all(caf::actor_system& system, std::vector<caf::actor>& actors) {
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
      break;
  }
  actors.clear();
}

} // namespace

node_actors::node_actors(const node_options& options, node_databases databases, wall_clock clock,
                         std::function<void(const caf::error&)> on_broken) {
  ids = databases.ids;
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  config_.set("scheduler.policy", caf::atom("sharing"));
  config_.set("scheduler.max-throughput", messages_per_turn);
  config_.set("scheduler.max-threads", cores);
  system_ = std::make_unique<caf::actor_system>(config_);
  // A forgotten actor must not hang the exit: the order below is ours.
  system_->await_actors_before_shutdown(false);

  for (auto& db : databases.readers)
    storage.readers.push_back(
        system_->spawn<caf::detached>(storage_reader, std::move(db), counters.storage));
  storage.writer =
      system_->spawn<caf::detached>(storage_writer,
                                    writer_dependencies{.db = std::move(databases.writer),
                                                        .clock = clock,
                                                        .log_reader = {},
                                                        .on_broken = std::move(on_broken),
                                                        .counters = counters.storage,
                                                        .position = counters.position},
                                    writer_options{.batch_max = static_cast<std::size_t>(
                                                       options.config.values.storage.batch_max)});
  passwords = system_->spawn<caf::detached>(password_worker);
  end_first(untyped(system_->spawn(id_keeper, storage, ids)));
  for (const auto& reader : storage.readers)
    workers_.push_back(untyped(reader));
  workers_.push_back(untyped(storage.writer));
  workers_.push_back(untyped(passwords));
}

void node_actors::end() {
  for (auto* group : {&first_, &regions_, &readers_of_log_, &workers_})
    end_all(*system_, *group);
  storage = {};
  passwords = password_handle{};
  accounts = account_handle{};
  timelines = timeline_handle{};
}

node_actors::~node_actors() {
  end();
}

} // namespace trunkline
