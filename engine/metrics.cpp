#include "engine/metrics.hpp"

#include "trunkline/version.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <sstream>

namespace trunkline {

namespace {

using sources = metric_sources;
using samples = std::vector<metric_sample>;

using enum metric_type;

/// Calls it `read` for what can be said with one number.
template <class Read>
auto one(Read read) {
  return [read](const sources& from) { return samples{{{}, static_cast<double>(read(from))}}; };
}

template <class Number>
auto of_storage(Number storage_counters::*member) {
  return one([member](const sources& from) { return ((*from.storage).*member).load(); });
}

template <class Number>
auto of_server(Number http_server_counters::*member) {
  return [member](const sources& from) {
    return samples{{{"web"}, static_cast<double>(from.web().*member)},
                   {{"admin"}, static_cast<double>(from.admin().*member)}};
  };
}

template <class Number>
auto of_rings(Number home_rings_counters::*member) {
  return one([member](const sources& from) { return (from.rings().*member).load(); });
}

template <class Number>
auto of_region(Number region_counters::*member) {
  return [member](const sources& from) {
    return samples{{{"account"}, static_cast<double>(((*from.accounts).*member).load())},
                   {{"timeline"}, static_cast<double>(((*from.timelines).*member).load())},
                   {{"remote_host"}, static_cast<double>(((*from.hosts).*member).load())},
                   {{"inbox_lane"}, static_cast<double>(((*from.inboxes).*member).load())}};
  };
}

template <class Read>
auto of_api(Read read) {
  return [read](const sources& from) {
    return samples{{{"client"}, static_cast<double>(read(*from.client_api))},
                   {{"admin"}, static_cast<double>(read(*from.admin_api))}};
  };
}

samples read_hits(const sources& from) {
  return {{{"token"}, static_cast<double>(from.tokens->hits())},
          {{"count"}, static_cast<double>(from.counts->hits())}};
}

samples read_misses(const sources& from) {
  return {{{"token"}, static_cast<double>(from.tokens->misses())},
          {{"count"}, static_cast<double>(from.counts->misses())}};
}

samples read_answers(const sources& from) {
  auto all = samples{};
  const auto add = [&](const std::string& api, const api_services& services) {
    for (auto hundreds = std::size_t{1}; hundreds <= 5; ++hundreds)
      all.push_back({{api, std::to_string(hundreds) + "xx"},
                     static_cast<double>(services.counters.answers(hundreds))});
  };
  add("client", *from.client_api);
  add("admin", *from.admin_api);
  return all;
}

samples read_refusals(const sources& from) {
  auto all = samples{};
  const auto add = [&](const std::string& api, const api_services& services) {
    for (auto code = 1; code <= static_cast<int>(errc_last); ++code)
      all.push_back({{api, std::string{to_string(static_cast<errc>(code))}},
                     static_cast<double>(services.counters.refusals(static_cast<errc>(code)))});
  };
  add("client", *from.client_api);
  add("admin", *from.admin_api);
  return all;
}

std::vector<metric> make_table() {
  return {
      {"trunkline_build",
       gauge,
       "1, with the version",
       {"version"},
       [](const sources&) {
         return samples{{{std::string{version()}}, 1}};
       }},
      {"trunkline_uptime_seconds", gauge, "Time since the start", {}, one([](const sources& from) {
         return from.uptime_seconds();
       })},
      {"trunkline_process_resident_bytes", gauge, "Memory in use", {}, one([](const sources& from) {
         return from.process().resident_bytes;
       })},
      {"trunkline_process_threads", gauge, "Threads", {}, one([](const sources& from) {
         return from.process().threads;
       })},
      {"trunkline_process_open_files",
       gauge,
       "File descriptors in use",
       {},
       one([](const sources& from) { return from.process().open_files; })},
      {"trunkline_process_cpu_seconds_total",
       counter,
       "Processor time, user and system",
       {},
       one([](const sources& from) { return from.process().cpu_seconds; })},
      {"trunkline_log_lines_dropped_total",
       counter,
       "Lines of the log that nobody took in time",
       {},
       one([](const sources& from) { return from.log_lines_dropped(); })},

      {"trunkline_http_connections",
       gauge,
       "Open connections",
       {"listener"},
       of_server(&http_server_counters::open_connections)},
      {"trunkline_http_connections_total",
       counter,
       "Connections served",
       {"listener"},
       of_server(&http_server_counters::accepted)},
      {"trunkline_http_connections_refused_total",
       counter,
       "Connections past a limit of connections or descriptors",
       {"listener"},
       of_server(&http_server_counters::refused_connections)},
      {"trunkline_http_requests_total",
       counter,
       "Requests given to a handler",
       {"listener"},
       of_server(&http_server_counters::requests)},
      {"trunkline_http_bad_requests_total",
       counter,
       "Requests refused before the handler",
       {"listener"},
       of_server(&http_server_counters::bad_requests)},
      {"trunkline_http_timeouts_total",
       counter,
       "Connections closed for being slow",
       {"listener"},
       of_server(&http_server_counters::timeouts)},
      {"trunkline_http_accept_pauses_total",
       counter,
       "Times that accepting stood still for want of descriptors",
       {"listener"},
       of_server(&http_server_counters::accept_pauses)},

      {"trunkline_api_answers_total",
       counter,
       "Answers by class of status",
       {"api", "status"},
       read_answers},
      {"trunkline_api_refusals_total",
       counter,
       "Requests refused, by reason",
       {"api", "reason"},
       read_refusals},
      {"trunkline_api_requests_in_flight",
       gauge,
       "Requests under way",
       {"api"},
       of_api([](const api_services& api) { return api.tickets.in_use(); })},
      {"trunkline_api_requests_shed_total",
       counter,
       "Requests past the limit of those under way",
       {"api"},
       of_api([](const api_services& api) { return api.tickets.refused(); })},

      {"trunkline_storage_batches_total",
       counter,
       "Commits",
       {},
       of_storage(&storage_counters::batches)},
      {"trunkline_storage_batches_failed_total",
       counter,
       "Commits rolled back or of unknown outcome",
       {},
       of_storage(&storage_counters::batches_failed)},
      {"trunkline_storage_units_total",
       counter,
       "Changes committed",
       {},
       of_storage(&storage_counters::units)},
      {"trunkline_storage_units_failed_total",
       counter,
       "Changes answered with an error",
       {},
       of_storage(&storage_counters::units_failed)},
      {"trunkline_storage_refused_total",
       counter,
       "Changes not taken: the queue was full",
       {},
       of_storage(&storage_counters::refused)},
      {"trunkline_storage_waiting",
       gauge,
       "Changes in the writer's queue",
       {},
       of_storage(&storage_counters::waiting)},
      {"trunkline_storage_last_batch",
       gauge,
       "Changes in the newest commit",
       {},
       of_storage(&storage_counters::last_batch)},
      {"trunkline_storage_rows_written_total",
       counter,
       "Rows inserted, updated and deleted by the writer",
       {},
       of_storage(&storage_counters::rows_written)},
      {"trunkline_storage_reads_total",
       counter,
       "Questions answered by readers",
       {},
       of_storage(&storage_counters::reads)},
      {"trunkline_storage_sync_seconds",
       metric_type::histogram,
       "Time of a commit from its begin to its end",
       {},
       {}},

      {"trunkline_actors", gauge, "Actors that run", {"kind"}, of_region(&region_counters::active)},
      {"trunkline_actors_activated_total",
       counter,
       "Actors started",
       {"kind"},
       of_region(&region_counters::activated)},
      {"trunkline_actors_passivated_total",
       counter,
       "Actors put away when idle",
       {"kind"},
       of_region(&region_counters::passivated)},
      {"trunkline_actors_crashed_total",
       counter,
       "Actors that crashed",
       {"kind"},
       of_region(&region_counters::crashes)},
      {"trunkline_actors_quarantined_total",
       counter,
       "Ids put aside after crashes",
       {"kind"},
       of_region(&region_counters::quarantined)},
      {"trunkline_actors_refused_total",
       counter,
       "Messages that a region refused",
       {"kind"},
       of_region(&region_counters::refused)},
      {"trunkline_actors_stuck",
       gauge,
       "Actors that keep a thread for longer than 5 s",
       {},
       one([](const sources& from) { return from.stuck_actors(); })},

      {"trunkline_home_rings",
       gauge,
       "Home timelines in memory",
       {},
       of_rings(&home_rings_counters::loaded)},
      {"trunkline_home_follows",
       gauge,
       "Follows in memory, of the loaded homes",
       {},
       of_rings(&home_rings_counters::follows)},
      {"trunkline_home_rebuilds_total",
       counter,
       "Home timelines put into memory",
       {},
       of_rings(&home_rings_counters::installed)},
      {"trunkline_home_drops_total",
       counter,
       "Home timelines that went cold",
       {},
       of_rings(&home_rings_counters::dropped)},
      {"trunkline_home_visits_total",
       counter,
       "Home timelines that a fan-out looked at",
       {},
       of_rings(&home_rings_counters::visits)},
      {"trunkline_home_appends_total",
       counter,
       "Posts that a fan-out put into home timelines",
       {},
       of_rings(&home_rings_counters::appends)},
      {"trunkline_cache_hits_total",
       counter,
       "Questions that a cache answered",
       {"cache"},
       read_hits},
      {"trunkline_cache_misses_total",
       counter,
       "Questions that a cache left to storage",
       {"cache"},
       read_misses},

      {"trunkline_log_committed_seq",
       gauge,
       "Newest row of the log that this node committed",
       {},
       one([](const sources& from) { return from.position->committed(); })},
      {"trunkline_log_applied_seq",
       gauge,
       "Newest row of the log that rings and caches have seen",
       {},
       one([](const sources& from) { return from.position->applied(); })},
  };
}

prometheus::ClientMetric render_histogram(const storage_counters& storage) {
  auto out = prometheus::ClientMetric{};
  auto& histogram = out.histogram;
  for (auto i = std::size_t{0}; i < storage.commit_buckets.size(); ++i) {
    histogram.sample_count += static_cast<std::uint64_t>(storage.commit_buckets[i].load());
    const auto bound = i < commit_bucket_bounds.size()
                           ? static_cast<double>(commit_bucket_bounds[i].count()) / 1e6
                           : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  histogram.sample_sum = static_cast<double>(storage.commit_microseconds.load()) / 1e6;
  return out;
}

prometheus::ClientMetric render_sample(const metric& row, const metric_sample& sample) {
  auto out = prometheus::ClientMetric{};
  for (auto i = std::size_t{0}; i < row.labels.size(); ++i)
    out.label.push_back({std::string{row.labels[i]}, sample.labels[i]});
  out.counter.value = sample.value;
  out.gauge.value = sample.value;
  return out;
}

prometheus::MetricType type_of(metric_type type) {
  switch (type) {
  case metric_type::counter:
    return prometheus::MetricType::Counter;
  case metric_type::gauge:
    return prometheus::MetricType::Gauge;
  case metric_type::histogram:
    return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

} // namespace

const std::vector<metric>& metrics() {
  static const auto table = [] {
    auto rows = make_table();
    std::ranges::move(federation_metrics(), std::back_inserter(rows));
    std::ranges::move(host_metrics(), std::back_inserter(rows));
    std::ranges::move(embedding_metrics(), std::back_inserter(rows));
    std::ranges::move(filter_metrics(), std::back_inserter(rows));
    std::ranges::move(webhook_metrics(), std::back_inserter(rows));
    return rows;
  }();
  return table;
}

std::string metrics_text(const metric_sources& from) {
  auto families = std::vector<prometheus::MetricFamily>{};
  for (const auto& row : metrics()) {
    auto& family = families.emplace_back();
    family.name = row.name;
    family.help = row.help;
    family.type = type_of(row.type);
    if (row.type == metric_type::histogram) {
      family.metric.push_back(render_histogram(*from.storage));
      continue;
    }
    for (const auto& sample : row.read(from))
      family.metric.push_back(render_sample(row, sample));
  }
  auto out = std::ostringstream{};
  prometheus::TextSerializer{}.Serialize(out, families);
  return out.str();
}

} // namespace trunkline
