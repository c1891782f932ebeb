#include "engine/embedding/filter_reports.hpp"

#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/node_embedding.hpp"

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

std::vector<filter_report> engine::filters() const {
  return state_->inside.embedding().filters();
}

} // namespace trunkline
