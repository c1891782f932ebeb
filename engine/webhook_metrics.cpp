#include "engine/metrics.hpp"

namespace trunkline {

namespace {

using samples = std::vector<metric_sample>;

/// One sample for each webhook, by its name.
template <class Read>
std::function<samples(const metric_sources&)> of_webhooks(Read read) {
  return [read](const metric_sources& from) {
    auto all = samples{};
    for (const auto& facts : from.webhooks())
      all.push_back({{facts.report.name}, static_cast<double>(read(facts))});
    return all;
  };
}

} // namespace

std::vector<metric> webhook_metrics() {
  using enum metric_type;
  const auto labels = std::vector<std::string_view>{"webhook"};
  return {
      {"trunkline_webhook_delivered_total", counter, "Events that a webhook's receiver has taken",
       labels, of_webhooks([](const webhook_facts& one) { return one.report.delivered; })},
      {"trunkline_webhook_failures_total", counter, "Requests of a webhook that failed", labels,
       of_webhooks([](const webhook_facts& one) { return one.report.failures; })},
      {"trunkline_webhook_lost_total", counter,
       "Rows that were purged before a webhook's receiver took them", labels,
       of_webhooks([](const webhook_facts& one) { return one.report.lost; })},
      {"trunkline_webhook_failures_in_a_row", gauge, "Failures since the last event that was taken",
       labels, of_webhooks([](const webhook_facts& one) { return one.failures_in_a_row; })},
      {"trunkline_webhook_behind_seconds", gauge, "Age of the oldest event that waits", labels,
       of_webhooks([](const webhook_facts& one) { return one.report.behind.count(); })},
  };
}

} // namespace trunkline
