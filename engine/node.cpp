#include "engine/node.hpp"

#include "engine/exit_codes.hpp"
#include "engine/folder_lock.hpp"
#include "engine/heartbeat.hpp"
#include "engine/metrics.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_federation.hpp"
#include "engine/node_log.hpp"
#include "engine/node_servers.hpp"
#include "engine/process_facts.hpp"
#include "protocol/errc.hpp"
#include "storage/watched_database.hpp"
#include "trunkline/version.hpp"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

namespace trunkline {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// How long a dying node waits for its last line to be written.
constexpr auto last_words_limit = 300ms;

time_point system_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

enum class node_phase : std::uint8_t {
  starting,
  serving,
  draining,
  stopped, ///< Also after a start that failed.
};

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
  }
  return "stopped";
}

} // namespace

struct node::state {
  explicit state(std::shared_ptr<const node_options> given)
      : options{std::move(given)}, config{options->config.values},
        log{{.descriptor = options->silent ? -1 : 2}, system_now} {}

  void run_start();
  caf::error start();
  [[noreturn]] void end_process(const caf::error& failure);
  void fill_admin();
  metric_sources sources();
  json_object describe();
  std::vector<readiness_check> check();
  void enter(node_phase next);

  const std::shared_ptr<const node_options> options;
  const node_config& config;
  const steady::time_point began = steady::now();
  const time_point began_at = system_now();
  node_log log;
  std::optional<folder_lock> lock;
  std::string dialect;
  admin_services admin;
  std::unique_ptr<node_actors> actors;
  std::unique_ptr<node_federation> federation;
  std::unique_ptr<node_servers> servers;

  std::mutex mutex; ///< Guards what follows.
  std::condition_variable changed;
  node_phase phase = node_phase::starting;
  bool start_over = false;
  caf::error failure; ///< Why the start failed.

  std::mutex ending; ///< One thread ends the node.
  std::thread starter;
};

void node::state::enter(node_phase next) {
  const auto held = std::scoped_lock{mutex};
  phase = next;
  changed.notify_all();
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
  failure = failed;
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
  auto databases = open_databases(config, system_now);
  if (!databases)
    return std::move(databases.error());
  dialect = databases->writer->dialect();
  for (auto& reader : databases->readers)
    reader = watched(std::move(reader), [this](const caf::error& damage) {
      log.write(log_level::error, "storage_damaged", {{"problem", context_of(damage)}});
    });
  actors = std::make_unique<node_actors>(
      *options, std::move(*databases), system_now,
      node_alarms{.lost = [this](const caf::error& lost) { end_process(lost); },
                  .crashed =
                      [this](std::string_view kind, const std::string& id, const caf::error& reason,
                             bool is_quarantined) {
                        log.write(log_level::error,
                                  is_quarantined ? "actor_quarantined" : "actor_crashed",
                                  {{"kind", kind}, {"id", id}, {"problem", context_of(reason)}});
                      }});
  fill_admin();
  auto joined = node_federation::start(config, *actors, system_now, log);
  if (!joined)
    return std::move(joined.error());
  federation = std::move(*joined);
  servers = std::make_unique<node_servers>(config, *actors, *federation, system_now, admin);
  if (options->heartbeat)
    actors->end_first(caf::actor_cast<caf::actor>(
        actors->system().spawn(heartbeat, options->heartbeat, options->heartbeat_interval)));
  return servers->listen(config);
}

/// Storage cannot be trusted any more, or an actor that everything stands on is gone: whatever was
/// answered is on the disk, and nothing may be answered from now on. Whoever supervises the process
/// starts it again.
void node::state::end_process(const caf::error& lost) {
  const auto is_crash = code_of(lost) == errc::crashed;
  log.write(log_level::error, is_crash ? "actor_lost" : "storage_broken",
            {{"problem", context_of(lost)}});
  log.flush(last_words_limit);
  std::_Exit(is_crash ? exit_software : exit_io);
}

void node::state::fill_admin() {
  admin.own_uid = ::geteuid();
  admin.metrics = [this] { return metrics_text(sources()); };
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

node::node(std::shared_ptr<const node_options> options)
    : state_{std::make_unique<state>(std::move(options))} {
  state_->starter = std::thread{[inside = state_.get()] { inside->run_start(); }};
}

node::~node() {
  stop();
}

caf::error node::wait_ready(std::chrono::milliseconds limit) {
  auto held = std::unique_lock{state_->mutex};
  if (!state_->changed.wait_for(held, limit, [&] { return state_->start_over; }))
    return make_error(errc::timed_out, "the node is not ready yet");
  return state_->failure;
}

std::string node::web_url() const {
  const auto held = std::scoped_lock{state_->mutex};
  return state_->phase == node_phase::starting || !state_->servers ? ""
                                                                   : state_->servers->web_url();
}

std::string node::admin_url() const {
  const auto held = std::scoped_lock{state_->mutex};
  return state_->phase == node_phase::starting || !state_->servers ? ""
                                                                   : state_->servers->admin_url();
}

bool node::drain(std::chrono::milliseconds limit) {
  const auto one = std::scoped_lock{state_->ending};
  if (state_->starter.joinable())
    state_->starter.join();
  if (!state_->servers || state_->phase != node_phase::serving)
    return true;
  state_->enter(node_phase::draining);
  state_->log.write(log_level::info, "node_draining");
  const auto done = state_->servers->drain(limit);
  state_->log.write(done ? log_level::info : log_level::warning, "node_drained",
                    {{"complete", done}});
  return done;
}

void node::stop() {
  const auto one = std::scoped_lock{state_->ending};
  if (state_->starter.joinable())
    state_->starter.join();
  if (!state_->lock)
    return;
  if (state_->servers)
    state_->servers->stop();
  if (state_->actors)
    state_->actors->end();
  {
    const auto held = std::scoped_lock{state_->mutex};
    state_->phase = node_phase::stopped;
    state_->servers.reset();
  }
  state_->federation.reset();
  state_->actors.reset();
  state_->lock.reset();
  state_->log.write(log_level::info, "node_stopped");
  state_->log.flush(last_words_limit);
}

} // namespace trunkline
