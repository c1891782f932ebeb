// Each metric is listed once, and something changes it.

#include "engine/metrics.hpp"
#include "protocol/errc.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

using namespace trunkline;

namespace {

/// Sources whose every number can be changed.
struct scene {
  http_server_counters web;
  http_server_counters admin;
  http_client_counters client;
  process_facts process;
  std::int64_t dropped = 0;
  std::size_t stuck = 0;
  double uptime = 0;
  filter_report filter{.name = "no_spam"};
  hook_report hook{.event = "post"};
  webhook_facts webhook_now;
  home_rings_counters rings;
  metric_sources sources;
  std::vector<ticket> tickets;
  std::shared_ptr<delivery_budget> budget = std::make_shared<delivery_budget>(
      delivery_budget_limits{.healthy = 1, .unproven = 1, .retry = 1, .probe = 1});
  std::vector<budget_place> places;
  std::shared_ptr<host_board> board = std::make_shared<host_board>();

  scene() {
    const auto api = [] {
      return std::make_shared<api_services>(api_options{.exchanges_max = 1}, storage_handles{},
                                            [] { return time_point{}; });
    };
    sources = {.storage = std::make_shared<storage_counters>(),
               .position = std::make_shared<log_position>(),
               .accounts = std::make_shared<region_counters>(),
               .timelines = std::make_shared<region_counters>(),
               .stuck_actors = [this] { return stuck; },
               .rings = [this]() -> const home_rings_counters& { return rings; },
               .hosts = std::make_shared<region_counters>(),
               .inboxes = std::make_shared<region_counters>(),
               .client = [this] { return client; },
               .budget = budget,
               .board = board,
               .web = [this] { return web; },
               .admin = [this] { return admin; },
               .client_api = api(),
               .admin_api = api(),
               .log_lines_dropped = [this] { return dropped; },
               .process = [this] { return process; },
               .uptime_seconds = [this] { return uptime; },
               .filters = [this] { return std::vector{filter}; },
               .hooks = [this] { return std::vector{hook}; },
               .webhooks = [this] { return std::vector{webhook_now}; }};
    note_host(1, {.offered = 1, .pending = 1});
    sources.tokens = std::make_shared<token_cache>(sources.position);
    sources.counts = std::make_shared<count_cache>(sources.position);
  }

  inline static const auto address = host_address{"https", "a.example", 443};

  void note_host(std::int64_t kept, const delivery_sums& change,
                 std::optional<time_point> oldest_at = std::nullopt) const {
    board->note_books(host_id{1}, address, change, kept - 1, kept - 1, oldest_at);
  }
};

using change = std::function<void(scene&)>;

change of_sums(std::int64_t delivery_sums::*member) {
  return [member](scene& on) {
    auto more = delivery_sums{.pending = 1};
    more.*member += 1;
    on.note_host(1, more);
  };
}

/// A host in each state, of which all are paused.
void know_more_hosts(scene& on) {
  for (auto code = std::int64_t{1}; const auto state = host_state_of(code); ++code)
    on.board->put({"https", std::string{to_string(*state)} + ".example", 443},
                  {.facts = {.id = host_id{code + 10}, .state = *state, .paused = true}});
}

void fail_more(scene& on) {
  on.board->put(scene::address, {.facts = {.id = host_id{1}, .fail_streak = 4}});
}

change of_storage(std::atomic<std::int64_t> storage_counters::*member) {
  return [member](scene& on) { ++((*on.sources.storage).*member); };
}

change of_server(std::uint64_t http_server_counters::*member) {
  return [member](scene& on) {
    ++(on.web.*member);
    ++(on.admin.*member);
  };
}

change of_region(std::atomic<std::int64_t> region_counters::*member) {
  return [member](scene& on) {
    ++((*on.sources.accounts).*member);
    ++((*on.sources.timelines).*member);
    ++((*on.sources.hosts).*member);
    ++((*on.sources.inboxes).*member);
  };
}

change of_client(std::uint64_t http_client_counters::*member) {
  return [member](scene& on) { ++(on.client.*member); };
}

/// Takes a place of each kind.
void take_places(scene& on) {
  for (auto kind = std::size_t{0}; kind < budget_kinds; ++kind)
    on.places.push_back(
        on.budget->take(static_cast<budget_kind>(kind), "a.example", [](const budget_place&) {}));
}

void take_places_and_be_slow(scene& on) {
  take_places(on);
  CHECK_FALSE(on.budget->slow_down(on.places.front(), std::chrono::seconds{2}, [] {}));
  take_places(on);
}

void wait_for_places(scene& on) {
  take_places(on);
  take_places(on);
}

change of_rings(std::atomic<std::int64_t> home_rings_counters::*member) {
  return [member](scene& on) { ++(on.rings.*member); };
}

change of_filter(std::uint64_t filter_report::*member) {
  return [member](scene& on) { ++(on.filter.*member); };
}

change of_hook(std::uint64_t hook_report::*member) {
  return [member](scene& on) { ++(on.hook.*member); };
}

/// A cache answers what it knows while the node has just seen the end of the log.
void ask_caches_what_they_know(scene& on) {
  const auto now = std::chrono::steady_clock::now();
  on.sources.position->tick(now);
  on.sources.tokens->keep("hash", {}, on.sources.tokens->version());
  CHECK(on.sources.tokens->find("hash", now));
  on.sources.counts->keep(post_id{1}, post_counts{}, on.sources.counts->lease(post_id{1}));
  CHECK(on.sources.counts->find(post_id{1}));
}

void ask_caches_what_they_do_not_know(scene& on) {
  const auto now = std::chrono::steady_clock::now();
  CHECK_FALSE(on.sources.tokens->find("hash", now));
  CHECK_FALSE(on.sources.counts->find(post_id{1}));
}

change of_api(std::function<void(api_services&, scene&)> act) {
  return [act](scene& on) {
    act(*on.sources.client_api, on);
    act(*on.sources.admin_api, on);
  };
}

/// What changes each metric. One that is not here fails.
const std::map<std::string_view, change> changes = {
    {"trunkline_uptime_seconds", [](scene& on) { on.uptime = 2; }},
    {"trunkline_process_resident_bytes", [](scene& on) { on.process.resident_bytes = 2; }},
    {"trunkline_process_threads", [](scene& on) { on.process.threads = 2; }},
    {"trunkline_process_open_files", [](scene& on) { on.process.open_files = 2; }},
    {"trunkline_process_cpu_seconds_total", [](scene& on) { on.process.cpu_seconds = 2; }},
    {"trunkline_log_lines_dropped_total", [](scene& on) { on.dropped = 2; }},
    {"trunkline_http_connections", of_server(&http_server_counters::open_connections)},
    {"trunkline_http_connections_total", of_server(&http_server_counters::accepted)},
    {"trunkline_http_connections_refused_total",
     of_server(&http_server_counters::refused_connections)},
    {"trunkline_http_requests_total", of_server(&http_server_counters::requests)},
    {"trunkline_http_bad_requests_total", of_server(&http_server_counters::bad_requests)},
    {"trunkline_http_timeouts_total", of_server(&http_server_counters::timeouts)},
    {"trunkline_http_accept_pauses_total", of_server(&http_server_counters::accept_pauses)},
    {"trunkline_api_answers_total", of_api([](api_services& api, scene&) {
       for (auto hundreds = 1; hundreds <= 5; ++hundreds)
         api.counters.answered(hundreds * 100);
     })},
    {"trunkline_api_refusals_total", of_api([](api_services& api, scene&) {
       for (auto code = 1; code <= static_cast<int>(errc_last); ++code)
         api.counters.refused(static_cast<errc>(code));
     })},
    {"trunkline_api_requests_in_flight",
     of_api([](api_services& api, scene& on) { on.tickets.push_back(api.tickets.take()); })},
    {"trunkline_api_requests_shed_total", of_api([](api_services& api, scene& on) {
       on.tickets.push_back(api.tickets.take());
       CHECK_FALSE(api.tickets.take());
     })},
    {"trunkline_storage_batches_total", of_storage(&storage_counters::batches)},
    {"trunkline_storage_batches_failed_total", of_storage(&storage_counters::batches_failed)},
    {"trunkline_storage_units_total", of_storage(&storage_counters::units)},
    {"trunkline_storage_units_failed_total", of_storage(&storage_counters::units_failed)},
    {"trunkline_storage_refused_total", of_storage(&storage_counters::refused)},
    {"trunkline_storage_waiting", of_storage(&storage_counters::waiting)},
    {"trunkline_storage_last_batch", of_storage(&storage_counters::last_batch)},
    {"trunkline_storage_rows_written_total", of_storage(&storage_counters::rows_written)},
    {"trunkline_storage_reads_total", of_storage(&storage_counters::reads)},
    {"trunkline_actors", of_region(&region_counters::active)},
    {"trunkline_actors_activated_total", of_region(&region_counters::activated)},
    {"trunkline_actors_passivated_total", of_region(&region_counters::passivated)},
    {"trunkline_actors_crashed_total", of_region(&region_counters::crashes)},
    {"trunkline_actors_quarantined_total", of_region(&region_counters::quarantined)},
    {"trunkline_actors_refused_total", of_region(&region_counters::refused)},
    {"trunkline_actors_stuck", [](scene& on) { on.stuck = 2; }},
    {"trunkline_home_rings", of_rings(&home_rings_counters::loaded)},
    {"trunkline_home_follows", of_rings(&home_rings_counters::follows)},
    {"trunkline_home_rebuilds_total", of_rings(&home_rings_counters::installed)},
    {"trunkline_home_drops_total", of_rings(&home_rings_counters::dropped)},
    {"trunkline_home_visits_total", of_rings(&home_rings_counters::visits)},
    {"trunkline_home_appends_total", of_rings(&home_rings_counters::appends)},
    {"trunkline_cache_hits_total", ask_caches_what_they_know},
    {"trunkline_cache_misses_total", ask_caches_what_they_do_not_know},
    {"trunkline_client_requests_total", of_client(&http_client_counters::requests)},
    {"trunkline_client_answers_total", of_client(&http_client_counters::answers)},
    {"trunkline_client_failures_total", of_client(&http_client_counters::failures)},
    {"trunkline_client_refused_total", of_client(&http_client_counters::refused)},
    {"trunkline_client_connections_total", of_client(&http_client_counters::connections)},
    {"trunkline_client_connections", of_client(&http_client_counters::open_connections)},
    {"trunkline_client_requests_in_flight", of_client(&http_client_counters::in_flight)},
    {"trunkline_client_lookups_total", of_client(&http_client_counters::lookups)},
    {"trunkline_client_tls_resumed_total", of_client(&http_client_counters::resumed)},
    {"trunkline_client_known_hosts", of_client(&http_client_counters::known_hosts)},
    {"trunkline_delivery_in_flight", take_places_and_be_slow},
    {"trunkline_delivery_places_waiting", wait_for_places},
    {"trunkline_delivery_offered_total", of_sums(&delivery_sums::offered)},
    {"trunkline_delivery_delivered_total", of_sums(&delivery_sums::delivered)},
    {"trunkline_delivery_coalesced_total", of_sums(&delivery_sums::coalesced)},
    {"trunkline_delivery_dead_total", of_sums(&delivery_sums::dead)},
    {"trunkline_delivery_expired_total", of_sums(&delivery_sums::expired)},
    {"trunkline_delivery_cancelled_total", of_sums(&delivery_sums::cancelled)},
    {"trunkline_delivery_backlog", of_sums(&delivery_sums::pending)},
    {"trunkline_delivery_oldest_age_seconds",
     [](scene& on) { on.note_host(1, {.pending = 1}, time_point{}); }},
    {"trunkline_delivery_exceptions", [](scene& on) { on.note_host(2, {.pending = 1}); }},
    {"trunkline_delivery_dead_letters", [](scene& on) { on.note_host(2, {.pending = 1}); }},
    {"trunkline_hosts", know_more_hosts},
    {"trunkline_hosts_paused", know_more_hosts},
    {"trunkline_host_backlog", of_sums(&delivery_sums::pending)},
    {"trunkline_host_oldest_age_seconds",
     [](scene& on) { on.note_host(1, {.pending = 1}, time_point{}); }},
    {"trunkline_host_fail_streak", fail_more},
    {"trunkline_log_committed_seq", [](scene& on) { on.sources.position->commit(2); }},
    {"trunkline_log_applied_seq", [](scene& on) { on.sources.position->apply(2); }},
    {"trunkline_webhook_delivered_total", [](scene& on) { on.webhook_now.report.delivered = 2; }},
    {"trunkline_webhook_failures_total", [](scene& on) { on.webhook_now.report.failures = 2; }},
    {"trunkline_webhook_lost_total", [](scene& on) { on.webhook_now.report.lost = 2; }},
    {"trunkline_webhook_failures_in_a_row",
     [](scene& on) { on.webhook_now.failures_in_a_row = 2; }},
    {"trunkline_webhook_behind_seconds",
     [](scene& on) { on.webhook_now.report.behind = std::chrono::seconds{2}; }},
    {"trunkline_filter_checked_total", of_filter(&filter_report::checked)},
    {"trunkline_filter_rejected_total", of_filter(&filter_report::rejected)},
    {"trunkline_filter_rewritten_total", of_filter(&filter_report::rewritten)},
    {"trunkline_filter_marked_sensitive_total", of_filter(&filter_report::marked_sensitive)},
    {"trunkline_filter_delisted_total", of_filter(&filter_report::delisted)},
    {"trunkline_filter_failed_total", of_filter(&filter_report::failed)},
    {"trunkline_filter_over_budget_total", of_filter(&filter_report::over_budget)},
    {"trunkline_filter_given_up_total", of_filter(&filter_report::given_up)},
    {"trunkline_hook_calls_total", of_hook(&hook_report::called)},
    {"trunkline_hook_dropped_total", of_hook(&hook_report::dropped)},
    {"trunkline_hook_failed_total", of_hook(&hook_report::failed)},
    {"trunkline_hook_waiting", [](scene& on) { on.hook.waiting = 2; }},
    {"trunkline_hook_busy_seconds", [](scene& on) { on.hook.busy = std::chrono::milliseconds{2}; }},
};

std::vector<double> values_of(const metric& row, const scene& on) {
  auto values = std::vector<double>{};
  for (const auto& sample : row.read(on.sources))
    values.push_back(sample.value);
  return values;
}

} // namespace

TEST_CASE("every metric is changed by what it is about", "[metrics]") {
  for (const auto& row : metrics()) {
    if (row.type == metric_type::histogram || row.name == "trunkline_build")
      continue;
    INFO(row.name);
    const auto change = changes.find(row.name);
    REQUIRE(change != changes.end());
    auto on = scene{};
    const auto before = values_of(row, on);
    change->second(on);
    const auto after = values_of(row, on);
    REQUIRE(before.size() == after.size());
    for (auto i = std::size_t{0}; i < before.size(); ++i)
      CHECK(after[i] > before[i]);
  }
}

TEST_CASE("the table is in order: names, types and labels", "[metrics]") {
  auto names = std::set<std::string_view>{};
  const auto on = scene{};
  for (const auto& row : metrics()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.name.starts_with("trunkline_"));
    CHECK(row.name.ends_with("_total") == (row.type == metric_type::counter));
    CHECK_FALSE(row.help.empty());
    if (row.type == metric_type::histogram)
      continue;
    for (const auto& sample : row.read(on.sources))
      CHECK(sample.labels.size() == row.labels.size());
  }
  for (const auto& [name, change] : changes)
    CHECK(names.contains(name));
}

TEST_CASE("a commit's time lands in its bucket and in the sum", "[metrics]") {
  auto on = scene{};
  ++on.sources.storage->commit_buckets[1];
  on.sources.storage->commit_microseconds = 2'000;
  const auto text = metrics_text(on.sources);
  CHECK(text.find("# TYPE trunkline_storage_sync_seconds histogram\n") != std::string::npos);
  CHECK(text.find("trunkline_storage_sync_seconds_bucket{le=\"0.001\"} 0\n") != std::string::npos);
  CHECK(text.find("trunkline_storage_sync_seconds_bucket{le=\"0.0025\"} 1\n") != std::string::npos);
  CHECK(text.find("trunkline_storage_sync_seconds_count 1\n") != std::string::npos);
  CHECK(text.find("trunkline_storage_sync_seconds_sum 0.002\n") != std::string::npos);
}

TEST_CASE("hosts have series of their own up to a bound", "[metrics]") {
  const auto on = scene{};
  for (auto number = 1; number <= 60; ++number)
    on.board->note_books(host_id{number}, {"https", "h" + std::to_string(number) + ".example", 443},
                         {.pending = number}, 0, 0, std::nullopt);
  for (const auto& row : metrics())
    if (row.labels == std::vector<std::string_view>{"host"})
      CHECK(row.read(on.sources).size() == 25);
  const auto text = metrics_text(on.sources);
  CHECK(text.find("trunkline_host_backlog{host=\"h60.example\"} 60") != std::string::npos);
  CHECK(text.find("host=\"h1.example\"") == std::string::npos);
}

TEST_CASE("alert rules ask for metrics that there are", "[metrics]") {
  auto file = std::ifstream{TRUNKLINE_SOURCE_DIR "/cluster-config/alerts.yml"};
  const auto rules = std::string{std::istreambuf_iterator{file}, {}};
  auto names = std::set<std::string>{};
  const auto name = std::regex{"trunkline_[a-z_]+"};
  for (auto found = std::sregex_iterator{rules.begin(), rules.end(), name};
       found != std::sregex_iterator{}; ++found)
    names.insert(found->str());
  CHECK(names.size() >= 8);
  for (const auto& each : names) {
    INFO(each);
    CHECK(std::ranges::any_of(metrics(), [&](const metric& row) { return row.name == each; }));
  }
}

TEST_CASE("the text has every metric of the table", "[metrics]") {
  const auto on = scene{};
  const auto text = metrics_text(on.sources);
  for (const auto& row : metrics())
    CHECK(text.find("# HELP " + std::string{row.name} + " ") != std::string::npos);
  CHECK(text.find("trunkline_build{version=") != std::string::npos);
}
