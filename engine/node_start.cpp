#include "engine/node_state.hpp"

#include "engine/cluster_report.hpp"
#include "engine/embedding/filter_reports.hpp"
#include "engine/embedding/hook_board.hpp"
#include "engine/embedding/webhook_reports.hpp"
#include "engine/exit_codes.hpp"
#include "engine/heartbeat.hpp"
#include "protocol/errc.hpp"
#include "storage/watched_database.hpp"
#include "trunkline/version.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

namespace trunkline {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

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

/// One line when it begins, one now and then, one when it is over.
void write_stuck(node_log& log, stuck_news news, const stuck_actor& stuck) {
  const auto members = json_object{{"actor", stuck.name}, {"since", to_iso8601(stuck.since)}};
  if (news == stuck_news::ended)
    return log.write(log_level::info, "actor_went_on", members);
  log.write(log_level::warning, news == stuck_news::began ? "actor_stuck" : "actor_still_stuck",
            members);
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

/// What the embedder adds; "" when that throws. Its lines are whole: what follows is another one.
std::string own_metrics(const node_options& options) {
  if (!options.extensions || !options.extensions->metrics)
    return "";
  try {
    auto text = options.extensions->metrics();
    if (!text.empty() && !text.ends_with('\n'))
      text += '\n';
    return text;
  } catch (...) {
    return "";
  }
}

} // namespace

wall_clock clock_of(const node_options& options) {
  if (options.world)
    return [world = options.world.get()] { return world->now(); };
  if (!options.extensions || !options.extensions->clock)
    return system_now;
  return [now = options.extensions->clock] {
    try {
      return std::chrono::time_point_cast<std::chrono::microseconds>(now());
    } catch (...) { // whatever an embedder throws ends here
      return system_now();
    }
  };
}

node::state::state(std::shared_ptr<const node_options> given)
    : options{std::move(given)}, config{options->config.values}, clock{clock_of(*options)},
      began_at{clock()}, log{log_options_of(*options), clock}, embedding{
                                                                   std::make_unique<node_embedding>(
                                                                       *options, log, clock)} {}

bool node::state::enter_drain() {
  const auto held = std::scoped_lock{mutex};
  if (phase != node_phase::serving || !servers)
    return false;
  phase = node_phase::draining;
  changed.notify_all();
  return true;
}

node_servers* node::state::serving() {
  const auto held = std::scoped_lock{mutex};
  return serving_now();
}

void node::state::run_start() {
  auto failed = caf::error{};
  try {
    failed = start();
  } catch (const std::exception& problem) {
    failed = make_error(errc::crashed, std::string{"the start failed: "} + problem.what());
  }
  if (failed && is_ordered_to_end())
    log.write(log_level::info, "start_ended", {{"why", context_of(failed)}});
  else if (failed)
    log.write(log_level::error, "start_failed", {{"problem", context_of(failed)}});
  else
    log.write(log_level::info, "node_ready",
              {{"version", version()},
               {"web", servers->listeners().web_url()},
               {"admin", servers->listeners().admin_url()},
               {"storage", dialect}});
  if (!enter_service(failed) && servers)
    servers->stop(); // before anybody is told, so that the ports are free
  listeners.reset();
  const auto held = std::scoped_lock{mutex};
  start_over = true;
  changed.notify_all();
}

bool node::state::is_ordered_to_end() const {
  const auto held = std::scoped_lock{mutex};
  return ends;
}

/// Tells whether the node serves from now on: unless the start has `failed`, or it is lost already.
bool node::state::enter_service(const caf::error& failed) {
  const auto held = std::scoped_lock{mutex};
  failure = failed ? failed : lost;
  if (failure) {
    phase = lost ? node_phase::lost : node_phase::stopped;
    return false;
  }
  phase = node_phase::serving;
  start_over = true;
  return true;
}

caf::error node::state::take_folder() {
  if (lives_in_memory(*options))
    return {};
  auto locked = folder_lock::take(config.storage.folder);
  if (!locked)
    return std::move(locked.error());
  lock = std::move(*locked);
  return prepare_secret_key(config.secrets.key_file);
}

caf::error node::state::start() {
  if (auto failed = take_folder())
    return failed;
  if (auto failed = embedding->prepare())
    return failed;
  home = std::make_unique<actor_home>(*options);
  if (auto failed = begin_work())
    return failed;
  if (auto failed = wait_for_turn())
    return failed;
  return begin_service();
}

/// What every node does, whoever serves: it follows the log, and delivers to the hosts that it
/// owns.
caf::error node::state::begin_work() {
  const auto held = take_lease();
  if (!held)
    return held.error();
  auto databases = open_databases(*options, clock, *held);
  if (!databases)
    return std::move(databases.error());
  const auto cluster = wires();
  dialect = databases->writer->dialect();
  for (auto& reader : databases->readers)
    reader = watched(std::move(reader), [this](const caf::error& damage) {
      log.write(log_level::error, "storage_damaged", {{"problem", context_of(damage)}});
    });
  actors = std::make_unique<node_actors>(
      *home, *options, std::move(*databases), clock,
      node_alarms{.lost = [this](const caf::error& reason) { lose(reason); },
                  .crashed =
                      [this](std::string_view kind, const std::string& id, const caf::error& reason,
                             bool is_quarantined) {
                        log.write(log_level::error,
                                  is_quarantined ? "actor_quarantined" : "actor_crashed",
                                  {{"kind", kind}, {"id", id}, {"problem", context_of(reason)}});
                      },
                  .stuck = [this](stuck_news news,
                                  const stuck_actor& one) { write_stuck(log, news, one); }},
      embedding->events, cluster);
  actors->memory.outbox = embedding->outbox;
  fill_admin();
  auto joined = node_federation::start(*options, *actors, clock, log, embedding->hosts,
                                       embedding->gate, cluster);
  if (!joined)
    return std::move(joined.error());
  federation = std::move(*joined);
  servers = std::make_unique<node_servers>(config, *actors, *federation, clock, admin);
  if (links)
    join_admin();
  if (listeners)
    servers->keep(std::move(listeners));
  if (options->heartbeat)
    actors->end_first(caf::actor_cast<caf::actor>(
        actors->system().spawn(heartbeat, options->heartbeat, options->heartbeat_interval)));
  works = true;
  return {};
}

/// What the one node does that has the accounts.
caf::error node::state::begin_service() {
  actors->begin_service(config, clock);
  federation->begin_service(*actors);
  embedding->begin(*actors, *federation, *servers);
  if (!options->world)
    return servers->listen(config);
  options->world->attach(config.server.domain, [this](http_request request, http_reply reply) {
    servers->handle(std::move(request), nullptr, std::move(reply));
  });
  return {};
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
  refuse_for_ever(reason);
}

void node::state::refuse_for_ever(const caf::error& reason) {
  {
    const auto held = std::scoped_lock{mutex};
    if (lost)
      return;
    lost = reason;
    if (start_over && servers) {
      servers->refuse_all();
      close_listeners();
    }
    phase = node_phase::lost;
    if (on_loss)
      on_loss();
    changed.notify_all();
  }
  embedding->tell_lost(reason);
}

/// On a thread of its own: whoever loses the node is one of its actors, and must not wait.
void node::state::close_listeners() {
  if (ends || options->world)
    return;
  try {
    closer = std::thread{[this] {
      const auto one = std::scoped_lock{ending};
      servers->stop();
    }};
  } catch (const std::system_error&) {
    // Without a thread they stay open until the end, and answer 503.
  }
}

void node::state::fill_admin() {
  admin.own_uid = ::geteuid();
  if (!config.cluster.node.empty())
    admin.node_id = config.cluster.node;
  admin.metrics = [this] { return trunkline::metrics_text(sources()) + own_metrics(*options); };
  admin.nodes = [this] { return describe_nodes(); };
  admin.cluster = [this] { return describe_cluster(); };
  admin.readiness = [this] { return check(); };
  admin.started = [this] {
    const auto held = std::scoped_lock{mutex};
    return start_over;
  };
  admin.next_id = [this] { return actors->ids->next(); };
  admin.stuck = [this] { return actors->stuck(); };
  admin.filters = [this] { return render_reports(embedding->filters()); };
  admin.hooks = [this] { return render_reports(embedding->hooks()); };
  admin.webhooks = [this] { return render_reports(embedding->webhooks()); };
}

metric_sources node::state::sources() {
  return {
      .storage = actors->memory.storage,
      .position = actors->memory.position,
      .accounts = actors->memory.accounts,
      .timelines = actors->memory.timelines,
      .stuck_actors = [this] { return actors->stuck().size(); },
      .rings = [this]() -> const home_rings_counters& { return actors->memory.rings->counters(); },
      .tokens = actors->memory.tokens,
      .counts = actors->memory.counts,
      .hosts = federation->host_counters,
      .inboxes = federation->inbox_counters,
      .client = [this] { return federation->client_counters(); },
      .budget = federation->budget,
      .board = actors->memory.board,
      .web = [this] { return servers->listeners().web_counters(); },
      .admin = [this] { return servers->listeners().admin_counters(); },
      .client_api = servers->client_api,
      .admin_api = servers->admin_api,
      .log_lines_dropped = [this] { return log.dropped(); },
      .process = [facts = read_process_facts()] { return facts; },
      .uptime_seconds =
          [this] { return std::chrono::duration<double>(steady::now() - began).count(); },
      .filters = [this] { return embedding->filters(); },
      .hooks = [this] { return embedding->hooks(); },
      .webhooks = [this] { return embedding->webhooks(); }};
}

/// Also of a node that starts or stands by, which has no actors yet.
json_object node::state::describe() {
  const auto facts = read_process_facts();
  const auto now = steady::now();
  const auto held = std::scoped_lock{mutex};
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  const auto busy = cpu.busy_cores(facts.cpu_seconds, now);
  auto said = json_object{
      {"version", version()},
      {"state", stands_by ? "standing_by" : name_of(phase)},
      {"domain", config.server.domain},
      {"started_at", to_iso8601(began_at)},
      {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(now - began).count()},
      {"resident_bytes", facts.resident_bytes},
      {"cpu_s", facts.cpu_seconds},
      {"cpu_cores", busy},
      {"threads", facts.threads},
      {"open_files", facts.open_files}};
  auto saturation = busy / cores;
  if (works) {
    const auto waiting = actors->memory.storage->waiting.load();
    saturation = std::max(saturation, static_cast<double>(waiting) /
                                          static_cast<double>(writer_options{}.queue_max));
    said["storage"] = dialect;
    said["log_committed"] = actors->memory.position->committed();
    said["log_applied"] = actors->memory.position->applied();
    said["writes_waiting"] = waiting;
  }
  if (links)
    said["links"] = shown_links(links->facts(), now, clock());
  said["saturation"] = std::round(saturation * 1'000) / 1'000;
  return said;
}

std::vector<readiness_check> node::state::check() {
  const auto current = actors->memory.position->is_current(actors->system().clock().now());
  const auto held = std::scoped_lock{mutex};
  auto all = std::vector<readiness_check>{
      {"started", start_over, start_over ? "" : "the start is not over"},
      {"draining", phase != node_phase::draining,
       phase == node_phase::draining ? "the node takes no new requests" : ""},
      {"log", current,
       current ? "" : "the database has not shown the end of the log for a second"}};
  if (!lease)
    return all;
  const auto leased = lease->lease()->is_held();
  all.push_back(
      {"lease", leased,
       leased ? "" : "it was not renewed for 4 s: the database is away, or has another owner"});
  return all;
}

} // namespace trunkline
