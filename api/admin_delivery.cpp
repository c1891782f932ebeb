#include "api/admin_handlers.hpp"
#include "api/admin_host_views.hpp"
#include "api/admin_services.hpp"
#include "api/board_answers.hpp"
#include "api/handling.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

json_object states_of(const host_totals& totals) {
  auto states = json_object{};
  for (auto code = std::size_t{1}; code < totals.by_state.size(); ++code)
    states[to_string(static_cast<host_state>(code))] = totals.by_state[code];
  return states;
}

json_object render(const host_totals& totals) {
  return {{"hosts", totals.hosts},
          {"by_state", states_of(totals)},
          {"paused", totals.paused},
          {"behind", totals.behind},
          {"waiting", totals.sums.pending},
          {"oldest_at", time_or_null(totals.oldest_at)},
          {"in_flight", totals.in_flight},
          {"exceptions", totals.exceptions},
          {"dead_letters", totals.dead_letters},
          {"sums", render(totals.sums)}};
}

/// What all nodes have said, put together.
struct whole_delivery {
  host_totals totals;
  json_array budgets;
  std::vector<placed_host> worst;
  std::vector<std::pair<stuck_actor, std::string>> stuck;

  void add(const std::string& node, const board_overview& overview) {
    totals += overview.totals;
    for (const auto& line : overview.budgets)
      budgets.emplace_back(json_object{{"kind", line.kind},
                                       {"node", node},
                                       {"limit", line.limit},
                                       {"in_use", line.in_use},
                                       {"waiting", line.waiting}});
    for (const auto& host : overview.worst)
      worst.push_back({.node = node, .line = host});
    for (const auto& one : overview.stuck)
      stuck.emplace_back(one, node);
  }

  /// Those that are stuck for the longest.
  json_array render_stuck() {
    std::ranges::stable_sort(stuck, {}, [](const auto& one) { return one.first.since; });
    stuck.resize(std::min(stuck.size(), attention_max));
    auto list = json_array{};
    for (const auto& [one, node] : stuck)
      list.emplace_back(
          json_object{{"actor", one.name}, {"node", node}, {"since", to_iso8601(one.since)}});
    return list;
  }
};

std::string glance_at(const api_services& services, const peer_answers& answers,
                      const peers_asked& peers, time_point now) {
  const auto& admin = *services.admin;
  auto all = whole_delivery{};
  all.add(admin.node_id, overview_of({.board = services.board.get(),
                                      .budget = services.budget.get(),
                                      .stuck = &admin.stuck},
                                     now));
  for (const auto& [node, answer] : answers)
    all.add(node, std::get<board_overview>(answer.what));
  auto attention = json_array{};
  for (const auto& host : worst_among(std::move(all.worst), now, finder_in(services)))
    attention.emplace_back(render(host.line, host.node, now));
  auto shown = json_object{{"totals", render(all.totals)},
                           {"budgets", std::move(all.budgets)},
                           {"attention", std::move(attention)},
                           {"stuck_actors", all.render_stuck()}};
  add_completeness(shown, peers, now);
  return to_json(shown);
}

} // namespace

void show_delivery(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto now = gateway.services->clock();
  gateway.services->admin->glance.get(
      now, [reply](const std::string& text) { reply({.status = 200, .body = text}); },
      [&gateway, now](const shared_glance::taker& take) {
        const auto peers = all_peers(*gateway.services);
        ask_peers(gateway, peers, {ask_overview{now}}, peers_deadline,
                  [&gateway, peers, take](const peer_answers& answers) {
                    const auto& services = *gateway.services;
                    take(glance_at(services, answers, *peers, services.clock()));
                  });
      });
}

} // namespace trunkline
