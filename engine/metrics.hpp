/// Every metric of a node: one table of names, types, texts and readers.
///
/// Reading costs a few loads per sample; nobody is asked to stop or to answer. Any thread.
#pragma once

#include "actors/count_cache.hpp"
#include "actors/delivery_budget.hpp"
#include "actors/home_rings.hpp"
#include "actors/host_board.hpp"
#include "actors/log_position.hpp"
#include "actors/shard_region.hpp"
#include "actors/storage_worker.hpp"
#include "actors/token_cache.hpp"
#include "actors/webhook_status.hpp"
#include "api/api_services.hpp"
#include "engine/process_facts.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "trunkline/events.hpp"
#include "trunkline/filter.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {

/// Where the numbers come from. Every pointer is set.
struct metric_sources {
  std::shared_ptr<storage_counters> storage;
  std::shared_ptr<log_position> position;
  std::shared_ptr<region_counters> accounts;
  std::shared_ptr<region_counters> timelines;
  std::function<std::size_t()> stuck_actors;
  std::function<const home_rings_counters&()> rings;
  std::shared_ptr<token_cache> tokens;
  std::shared_ptr<count_cache> counts;
  std::shared_ptr<region_counters> hosts;
  std::shared_ptr<region_counters> inboxes;
  std::function<http_client_counters()> client;
  std::shared_ptr<const delivery_budget> budget;
  std::shared_ptr<const host_board> board;
  std::function<http_server_counters()> web;
  std::function<http_server_counters()> admin;
  api_services_ptr client_api;
  api_services_ptr admin_api;
  std::function<std::int64_t()> log_lines_dropped;
  std::function<process_facts()> process;
  std::function<double()> uptime_seconds;
  std::function<std::vector<filter_report>()> filters;
  std::function<std::vector<hook_report>()> hooks;
  std::function<std::vector<webhook_facts>()> webhooks;
};

enum class metric_type : std::uint8_t { counter, gauge, histogram };

/// One sample: the values of the row's labels, in order.
struct metric_sample {
  std::vector<std::string> labels;
  double value = 0;
};

struct metric {
  std::string_view name;
  metric_type type;
  std::string_view help;
  std::vector<std::string_view> labels;
  std::function<std::vector<metric_sample>(const metric_sources&)> read; ///< Not of a histogram.
};

/// INTERNAL: the rows about other servers, which `metrics` holds too.
std::vector<metric> federation_metrics();

/// INTERNAL: the rows about hosts and what waits for them, which `metrics` holds too.
std::vector<metric> host_metrics();

/// INTERNAL: the rows about what an embedder has added, which `metrics` holds too.
std::vector<metric> embedding_metrics();

/// INTERNAL: the rows about webhooks, which `metrics` holds too.
std::vector<metric> webhook_metrics();

/// INTERNAL: the rows about filters, which `metrics` holds too.
std::vector<metric> filter_metrics();

/// Returns the table.
const std::vector<metric>& metrics();

/// Returns the Prometheus text of every metric.
std::string metrics_text(const metric_sources& sources);

} // namespace trunkline
