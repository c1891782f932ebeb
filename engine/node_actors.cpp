#include "engine/node_actors.hpp"

#include "actors/account.hpp"
#include "actors/fanout.hpp"
#include "actors/housekeeper.hpp"
#include "actors/log_news.hpp"
#include "actors/log_reader.hpp"
#include "actors/messages.hpp"
#include "actors/password_worker.hpp"
#include "actors/poll_keeper.hpp"
#include "actors/timeline.hpp"
#include "engine/config_rules.hpp"
#include "protocol/errc.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

template <class Handle>
caf::actor untyped(const Handle& handle) {
  return caf::actor_cast<caf::actor>(handle);
}

/// Tells the other nodes of a cluster what this one commits.
std::function<void(log_seq)> teller_of(const std::optional<cluster_wires>& cluster) {
  if (!cluster)
    return {};
  const auto news =
      std::make_shared<log_news>(log_news::wires{.others = cluster->others, .ask = cluster->ask});
  return [news](log_seq upto) { news->tell(upto); };
}

/// How long the books of delivery may take to be written at the end.
constexpr auto books_limit = 5s;

} // namespace

node_actors::node_actors(actor_home& home, const node_options& options, node_databases databases,
                         wall_clock clock, node_alarms alarms, std::shared_ptr<log_cache> events,
                         const std::optional<cluster_wires>& cluster)
    : lease{databases.membership}, serving_lease{databases.serving}, ids{databases.ids},
      home_{home}, alarms_{std::move(alarms)} {
  if (is_virtual())
    memory.counts =
        std::make_shared<count_cache>(memory.position, count_cache_options{},
                                      [&system = this->system()] { return system.clock().now(); });
  else
    begin_watch(clock, options.owner_looks);
  if (cluster)
    memory.places = std::make_shared<shard_places>();
  start_workers(options.config.values, std::move(databases), clock, std::move(events), cluster);
  start_regions(options.config.values, clock);
}

void node_actors::begin_watch(const wall_clock& clock, bool owner_looks) {
  watchdog_ = std::make_unique<watchdog>(system(), clock, alarms_.stuck);
  if (!owner_looks)
    watchdog_->begin();
}

void node_actors::look() {
  if (watchdog_)
    watchdog_->look();
}

std::vector<stuck_actor> node_actors::stuck() const {
  return watchdog_ ? watchdog_->stuck() : std::vector<stuck_actor>{};
}

/// Reads would go on and show an ever older state. Whoever supervises the process starts it again.
void node_actors::must_live(const caf::actor& actor, std::string_view name) const {
  actor->attach_functor([name, on_lost = alarms_.lost](const caf::error& reason) {
    if (reason && reason != caf::exit_reason::user_shutdown)
      on_lost(make_error(errc::crashed,
                         std::string{name} + ": ended by itself, " + context_of(reason)));
  });
}

/// The workers block, and so have threads of their own.
void node_actors::start_workers(const node_config& config, node_databases databases,
                                const wall_clock& clock, std::shared_ptr<log_cache> events,
                                const std::optional<cluster_wires>& cluster) {
  auto caches = std::vector<std::shared_ptr<log_cache>>{memory.tokens, memory.counts, memory.keys,
                                                        memory.blocked};
  if (events)
    caches.push_back(std::move(events));
  for (auto& db : databases.readers) {
    storage.readers.push_back(spawn_blocking(storage_reader, std::move(db), memory.storage));
    workers_.push_back(untyped(storage.readers.back()));
  }
  delivery_ = std::make_shared<dispatcher_dependencies>();
  dispatcher = system().spawn(trunkline::dispatcher,
                              std::shared_ptr<const dispatcher_dependencies>{delivery_},
                              dispatcher_options{.owns_all = !cluster});
  fanout = system().spawn(trunkline::fanout,
                          fanout_dependencies{.rings = memory.rings,
                                              .position = memory.position,
                                              .caches = std::move(caches),
                                              .clock = clock,
                                              .dispatcher = dispatcher},
                          fanout_options{});
  log_reader = system().spawn(trunkline::log_reader,
                              log_reader_dependencies{.readers = storage.readers,
                                                      .fanout = fanout,
                                                      .position = memory.position,
                                                      .on_commit = teller_of(cluster)},
                              log_reader_options{});
  log_actors_ = {untyped(log_reader), untyped(fanout), untyped(dispatcher)};
  must_live(untyped(log_reader), "log_reader");
  must_live(untyped(fanout), "fanout");
  must_live(untyped(dispatcher), "dispatcher");
  storage.writer =
      spawn_blocking(storage_writer,
                     writer_dependencies{.db = std::move(databases.writer),
                                         .clock = clock,
                                         .log_reader = log_reader,
                                         .on_broken = alarms_.lost,
                                         .counters = memory.storage,
                                         .position = memory.position,
                                         .lease = lease},
                     writer_options{.batch_max = static_cast<std::size_t>(config.storage.batch_max),
                                    .fence = databases.fence});
  passwords = spawn_blocking(password_worker);
  workers_.push_back(untyped(storage.writer));
  workers_.push_back(untyped(passwords));
  must_live(untyped(storage.writer), "storage writer");
  end_first(untyped(system().spawn(id_keeper, storage, ids)));
}

void node_actors::begin_service(const node_config& config, const wall_clock& clock) {
  end_first(untyped(system().spawn(housekeeper, storage,
                                   housekeeper_options{.log_bytes_max = config.log.bytes_max})));
  end_first(untyped(system().spawn(poll_keeper,
                                   poll_keeper_dependencies{.storage = storage,
                                                            .domain = config.server.domain,
                                                            .urls = own_urls(config),
                                                            .ids = ids,
                                                            .clock = clock},
                                   poll_keeper_options{})));
}

void node_actors::begin_delivery(remote_host_handle hosts, host_stopper_handle stopper,
                                 wall_clock clock) {
  // The message orders what is written here before what the dispatcher reads.
  *delivery_ = {.storage = storage,
                .hosts = std::move(hosts),
                .clock = std::move(clock),
                .blocked = memory.blocked,
                .outbox = memory.outbox,
                .board = memory.board,
                .stopper = std::move(stopper),
                .places = memory.places};
  caf::anon_send(dispatcher, trunkline::begin_delivery{});
}

void node_actors::start_regions(const node_config& config, const wall_clock& clock) {
  const auto one_account = account_dependencies{
      .storage = storage, .ids = ids, .domain = config.server.domain, .urls = own_urls(config)};
  const auto account_limits = account_options{.idle_after = config.accounts.idle_timeout};
  const auto account_region = system().spawn(
      shard_region<account_handle>,
      [=, this](account_id id, const passivator_handle& region) {
        auto needs = one_account;
        needs.region = region;
        return system().spawn(account, id, std::move(needs), account_limits);
      },
      memory.accounts, region_limits<account_id>("account"));
  accounts = caf::actor_cast<account_handle>(account_region);
  const auto one_timeline = timeline_dependencies{.storage = storage,
                                                  .fanout = fanout,
                                                  .rings = memory.rings,
                                                  .position = memory.position,
                                                  .clock = clock};
  const auto timeline_limits = timeline_options{
      .idle_after = std::chrono::ceil<std::chrono::seconds>(config.timelines.idle_timeout)};
  const auto timeline_region = system().spawn(
      shard_region<timeline_handle>,
      [=, this](account_id id, const passivator_handle& region) {
        return system().spawn(timeline, id, region, one_timeline, timeline_limits);
      },
      memory.timelines, region_limits<account_id>("timeline"));
  timelines = caf::actor_cast<timeline_handle>(timeline_region);
  regions_ = {untyped(account_region), untyped(timeline_region)};
}

/// What hosts have settled up to now is in the database once this has returned.
void node_actors::write_books() {
  if (!delivery_->hosts)
    return;
  if (is_virtual())
    return write_books_in_turn();
  auto self = caf::scoped_actor{system()};
  self->request(dispatcher, books_limit, flush_books{}).receive([] {}, [](const caf::error&) {});
}

void node_actors::write_books_in_turn() {
  const auto written = std::make_shared<bool>(false);
  system().spawn([written, to = dispatcher](caf::event_based_actor* self) {
    self->request(to, books_limit, flush_books{})
        .then([written] { *written = true; }, [written](const caf::error&) { *written = true; });
  });
  home_.world()->run_until([&] { return *written; }, books_limit);
}

bool node_actors::end() {
  if (!dispatcher)
    return true;
  auto all = home_.end(first_);
  // A host waits for what it has under way; its sender ends that.
  auto hosts = second_;
  const auto hosts_ended = home_.end(second_);
  if (after_second_)
    after_second_();
  all = (hosts_ended || home_.end(hosts)) && all;
  write_books();
  for (auto* group : {&regions_, &log_actors_, &workers_})
    all = home_.end(*group) && all;
  *delivery_ = {};
  storage = {};
  passwords = password_handle{};
  dispatcher = dispatcher_handle{};
  fanout = fanout_handle{};
  accounts = account_handle{};
  timelines = timeline_handle{};
  return all;
}

node_actors::~node_actors() {
  end();
}

} // namespace trunkline
