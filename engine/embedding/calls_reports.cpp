// Typed calls that ask how the engine is.
#include "engine/embedding/calls.hpp"
#include "engine/embedding/engine_state.hpp"
#include "engine/embedding/entities_in.hpp"
#include "engine/embedding/metric_readings.hpp"
#include "protocol/loose_members.hpp"
#include "protocol/query_string.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr std::size_t id_bytes_max = 300;

std::string path_of(std::string_view kind, std::string_view id) {
  if (kind == "host")
    return "/admin/v1/hosts/" + encode_percent(id);
  return "/admin/v1/actors/" + encode_percent(kind) + "/" + encode_percent(id);
}

actor_report report_of(std::string_view kind, std::string_view id, const json_object& shown) {
  auto report = actor_report{
      .kind = std::string{kind}, .id = std::string{id}, .members = to_flat_members(shown)};
  report.stale = report.member("stale") == "true";
  std::erase_if(report.members, [](const auto& member) {
    return member.first == "kind" || member.first == "id" || member.first == "stale";
  });
  return report;
}

} // namespace

result<actor_report> engine::ask(std::string_view kind, std::string_view id) {
  auto call = program_call{entry_of(state_->inside), "ask"};
  if (kind != "account" && kind != "timeline" && kind != "host")
    return call.fail(failure_kind::not_found,
                     "there is no kind of actor called '" +
                         std::string{kind.substr(0, id_bytes_max)} + "'",
                     "ask for an account, a timeline or a host");
  if (id.empty() || id.size() > id_bytes_max)
    return call.fail(failure_kind::not_found, "the id cannot be");
  auto shown = call.ask_admin({.path = path_of(kind, id)});
  if (!shown && shown.error().kind == failure_kind::invalid)
    return call.fail(failure_kind::not_found, shown.error().what);
  if (!shown)
    return shown.error();
  if (!shown->as_object())
    return call.fail(failure_kind::internal, "the answer is no object");
  return report_of(kind, id, *shown->as_object());
}

std::vector<metric_reading> engine::metrics() const {
  return read_metrics(metrics_text());
}

} // namespace trunkline
