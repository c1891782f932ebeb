#include "engine/embedding/webhook_reports.hpp"

#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/node_embedding.hpp"

namespace trunkline {

namespace {

json_value text_or_null(const std::string& text) {
  return text.empty() ? json_value{} : json_value{text};
}

} // namespace

json_array render_reports(const std::vector<webhook_facts>& facts) {
  auto list = json_array{};
  for (const auto& one : facts)
    list.emplace_back(json_object{
        {"name", one.report.name},
        {"mark", one.report.mark},
        {"delivered", one.report.delivered},
        {"failures", one.report.failures},
        {"failures_in_a_row", one.failures_in_a_row},
        {"lost", one.report.lost},
        {"last_error", text_or_null(one.report.last_error)},
        {"next_try_at", one.next_try_at ? json_value{to_iso8601(*one.next_try_at)} : json_value{}},
        {"behind_s", one.report.behind.count()}});
  return list;
}

std::vector<webhook_report> engine::webhooks() const {
  auto reports = std::vector<webhook_report>{};
  for (auto& facts : state_->inside.embedding().webhooks())
    reports.push_back(std::move(facts.report));
  return reports;
}

} // namespace trunkline
