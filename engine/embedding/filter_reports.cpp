#include "engine/embedding/filter_reports.hpp"

namespace trunkline {

json_array render_reports(const std::vector<filter_report>& reports) {
  auto list = json_array{};
  for (const auto& report : reports)
    list.emplace_back(json_object{{"name", report.name},
                                  {"checked", report.checked},
                                  {"rejected", report.rejected},
                                  {"rewritten", report.rewritten},
                                  {"marked_sensitive", report.marked_sensitive},
                                  {"delisted", report.delisted},
                                  {"failed", report.failed},
                                  {"over_budget", report.over_budget},
                                  {"given_up", report.given_up}});
  return list;
}

} // namespace trunkline
