#include "engine/metrics.hpp"

namespace trunkline {

namespace {

/// One sample for each filter, by its name.
auto of_filters(std::uint64_t filter_report::*member) {
  return [member](const metric_sources& from) {
    auto all = std::vector<metric_sample>{};
    for (const auto& report : from.filters())
      all.push_back({{report.name}, static_cast<double>(report.*member)});
    return all;
  };
}

metric row(std::string_view name, std::string_view help, std::uint64_t filter_report::*member) {
  return {name, metric_type::counter, help, {"filter"}, of_filters(member)};
}

} // namespace

std::vector<metric> filter_metrics() {
  return {
      row("trunkline_filter_checked_total", "Activities that a filter was asked about",
          &filter_report::checked),
      row("trunkline_filter_rejected_total", "Activities that a filter refused",
          &filter_report::rejected),
      row("trunkline_filter_rewritten_total", "Activities that a filter rewrote",
          &filter_report::rewritten),
      row("trunkline_filter_marked_sensitive_total", "Posts that a filter marked as sensitive",
          &filter_report::marked_sensitive),
      row("trunkline_filter_delisted_total", "Posts that a filter took off public lists",
          &filter_report::delisted),
      row("trunkline_filter_failed_total", "Calls of a filter that threw", &filter_report::failed),
      row("trunkline_filter_over_budget_total", "Calls of a filter that took longer than 1 ms",
          &filter_report::over_budget),
      row("trunkline_filter_given_up_total",
          "Activities that were decided without a filter: it did not return in time",
          &filter_report::given_up),
  };
}

} // namespace trunkline
