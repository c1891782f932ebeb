#include "engine/metrics.hpp"

namespace trunkline {

namespace {

using samples = std::vector<metric_sample>;

/// One sample for each hook, known by its place, 1 for the first, and the word of its events.
template <class Read>
std::function<samples(const metric_sources&)> of_hooks(Read read) {
  return [read](const metric_sources& from) {
    auto all = samples{};
    for (const auto& report : from.hooks())
      all.push_back(
          {{std::to_string(all.size() + 1), report.event}, static_cast<double>(read(report))});
    return all;
  };
}

} // namespace

std::vector<metric> embedding_metrics() {
  using enum metric_type;
  const auto labels = std::vector<std::string_view>{"hook", "event"};
  return {
      {"trunkline_hook_calls_total", counter, "Events that a hook was called with", labels,
       of_hooks([](const hook_report& one) { return one.called; })},
      {"trunkline_hook_dropped_total", counter, "Events that a hook missed: it was full", labels,
       of_hooks([](const hook_report& one) { return one.dropped; })},
      {"trunkline_hook_failed_total", counter, "Calls of a hook that threw", labels,
       of_hooks([](const hook_report& one) { return one.failed; })},
      {"trunkline_hook_waiting", gauge, "Events that wait for a hook", labels,
       of_hooks([](const hook_report& one) { return one.waiting; })},
      {"trunkline_hook_busy_seconds", gauge, "Time since a hook's present call began", labels,
       of_hooks(
           [](const hook_report& one) { return std::chrono::duration<double>(one.busy).count(); })},
  };
}

} // namespace trunkline
