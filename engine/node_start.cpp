#include "engine/node_state.hpp"

#include "engine/exit_codes.hpp"
#include "engine/heartbeat.hpp"
#include "engine/process_facts.hpp"
#include "protocol/errc.hpp"
#include "storage/watched_database.hpp"
#include "trunkline/version.hpp"

#include <unistd.h>

#include <cstdlib>

namespace trunkline {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// How long a dying node waits for its last line to be written.
constexpr auto last_words_limit = 300ms;

std::string_view name_of(node_phase phase) {
  switch (phase) {
  case node_phase::starting:
    return "starting";
  case node_phase::serving:
    return "serving";
  case node_phase::draining:
    return "draining";
  case node_phase::stopped:
    return "stopped";
  case node_phase::lost:
    return "lost";
  }
  return "stopped";
}

time_point system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

node_log_options log_options_of(const node_options& options) {
  auto made = node_log_options{.descriptor = options.silent ? -1 : 2};
  if (options.extensions)
    made.sink = options.extensions->log;
  return made;
}

} // namespace

wall_clock clock_of(const node_options& options) {
  if (options.world)
    return [world = options.world.get()] { return world->now(); };
  if (!options.extensions || !options.extensions->clock)
    return system_now;
  return [now = options.extensions->clock] {
    return std::chrono::time_point_cast<std::chrono::microseconds>(now());
  };
}

node::state::state(std::shared_ptr<const node_options> given)
    : options{std::move(given)}, config{options->config.values}, clock{clock_of(*options)},
      began_at{clock()}, log{log_options_of(*options), clock}, embedding{
                                                                   std::make_unique<node_embedding>(
                                                                       *options, log, clock)} {}

void node::state::enter(node_phase next) {
  const auto held = std::scoped_lock{mutex};
  phase = next;
  changed.notify_all();
}

node_servers* node::state::serving() {
  const auto held = std::scoped_lock{mutex};
  const auto serves = phase == node_phase::serving || phase == node_phase::draining;
  return serves ? servers.get() : nullptr;
}

void node::state::run_start() {
  auto failed = caf::error{};
  try {
    failed = start();
  } catch (const std::exception& problem) {
    failed = make_error(errc::crashed, std::string{"the start failed: "} + problem.what());
  }
  if (failed)
    log.write(log_level::error, "start_failed", {{"problem", context_of(failed)}});
  else
    log.write(log_level::info, "node_ready",
              {{"version", version()},
               {"web", servers->web_url()},
               {"admin", servers->admin_url()},
               {"storage", dialect}});
  const auto held = std::scoped_lock{mutex};
  start_over = true;
  failure = failed ? failed : lost;
  if (!lost)
    phase = failed ? node_phase::stopped : node_phase::serving;
  changed.notify_all();
}

caf::error node::state::start() {
  auto locked = folder_lock::take(config.storage.folder);
  if (!locked)
    return std::move(locked.error());
  lock = std::move(*locked);
  if (auto failed = prepare_secret_key(config.secrets.key_file))
    return failed;
  auto databases = open_databases(config, clock);
  if (!databases)
    return std::move(databases.error());
  dialect = databases->writer->dialect();
  for (auto& reader : databases->readers)
    reader = watched(std::move(reader), [this](const caf::error& damage) {
      log.write(log_level::error, "storage_damaged", {{"problem", context_of(damage)}});
    });
  actors = std::make_unique<node_actors>(
      *options, std::move(*databases), clock,
      node_alarms{.lost = [this](const caf::error& reason) { lose(reason); },
                  .crashed =
                      [this](std::string_view kind, const std::string& id, const caf::error& reason,
                             bool is_quarantined) {
                        log.write(log_level::error,
                                  is_quarantined ? "actor_quarantined" : "actor_crashed",
                                  {{"kind", kind}, {"id", id}, {"problem", context_of(reason)}});
                      }});
  fill_admin();
  auto joined = node_federation::start(config, *actors, clock, log);
  if (!joined)
    return std::move(joined.error());
  federation = std::move(*joined);
  servers = std::make_unique<node_servers>(config, *actors, *federation, clock, admin);
  embedding->begin(*actors, *federation, *servers);
  if (options->heartbeat)
    actors->end_first(caf::actor_cast<caf::actor>(
        actors->system().spawn(heartbeat, options->heartbeat, options->heartbeat_interval)));
  return servers->listen(config);
}

/// Storage cannot be trusted any more, or an actor that everything stands on is gone: whatever was
/// answered is on the disk, and nothing may be answered from now on. The program ends, and whoever
/// supervises it starts it again; an embedder's process goes on, and is told.
void node::state::lose(const caf::error& reason) {
  const auto is_crash = code_of(reason) == errc::crashed;
  log.write(log_level::error, is_crash ? "actor_lost" : "storage_broken",
            {{"problem", context_of(reason)}});
  if (!options->extensions) {
    log.flush(last_words_limit);
    std::_Exit(is_crash ? exit_software : exit_io);
  }
  {
    const auto held = std::scoped_lock{mutex};
    if (lost)
      return;
    lost = reason;
    phase = node_phase::lost;
    if (servers)
      servers->refuse_all();
    changed.notify_all();
  }
  embedding->tell_lost(reason);
}

void node::state::fill_admin() {
  admin.own_uid = ::geteuid();
  admin.metrics = [this] {
    auto text = trunkline::metrics_text(sources());
    if (options->extensions && options->extensions->metrics)
      text += options->extensions->metrics();
    return text;
  };
  admin.describe_node = [this] { return describe(); };
  admin.readiness = [this] { return check(); };
  admin.started = [this] {
    const auto held = std::scoped_lock{mutex};
    return start_over;
  };
  admin.next_id = [this] { return actors->ids->next(); };
}

metric_sources node::state::sources() {
  return {
      .storage = actors->memory.storage,
      .position = actors->memory.position,
      .accounts = actors->memory.accounts,
      .timelines = actors->memory.timelines,
      .rings = [this]() -> const home_rings_counters& { return actors->memory.rings->counters(); },
      .tokens = actors->memory.tokens,
      .counts = actors->memory.counts,
      .hosts = federation->host_counters,
      .inboxes = federation->inbox_counters,
      .client = [this] { return federation->client_counters(); },
      .web = [this] { return servers->web_counters(); },
      .admin = [this] { return servers->admin_counters(); },
      .client_api = servers->client_api,
      .admin_api = servers->admin_api,
      .log_lines_dropped = [this] { return log.dropped(); },
      .process = [facts = read_process_facts()] { return facts; },
      .uptime_seconds =
          [this] { return std::chrono::duration<double>(steady::now() - began).count(); }};
}

json_object node::state::describe() {
  const auto facts = read_process_facts();
  const auto held = std::scoped_lock{mutex};
  return {
      {"version", version()},
      {"state", name_of(phase)},
      {"domain", config.server.domain},
      {"started_at", to_iso8601(began_at)},
      {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(steady::now() - began).count()},
      {"storage", dialect},
      {"resident_bytes", facts.resident_bytes},
      {"cpu_s", facts.cpu_seconds},
      {"threads", facts.threads},
      {"open_files", facts.open_files},
      {"log_committed", actors->memory.position->committed()},
      {"log_applied", actors->memory.position->applied()},
      {"writes_waiting", actors->memory.storage->waiting.load()}};
}

std::vector<readiness_check> node::state::check() {
  const auto current = actors->memory.position->is_current(steady::now());
  const auto held = std::scoped_lock{mutex};
  return {
      {"started", start_over, start_over ? "" : "the start is not over"},
      {"draining", phase != node_phase::draining,
       phase == node_phase::draining ? "the node takes no new requests" : ""},
      {"log", current, current ? "" : "this node has not seen the end of the log for a second"}};
}

} // namespace trunkline
