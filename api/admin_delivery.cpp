#include "actors/delivery_budget.hpp"
#include "api/admin_handlers.hpp"
#include "api/admin_host_views.hpp"
#include "api/admin_services.hpp"
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

json_array render(const delivery_budget& budget) {
  auto list = json_array{};
  for (auto code = std::size_t{0}; code < budget_kinds; ++code) {
    const auto kind = static_cast<budget_kind>(code);
    list.emplace_back(json_object{{"kind", to_string(kind)},
                                  {"limit", budget.limit(kind)},
                                  {"in_use", budget.in_use(kind)},
                                  {"waiting", budget.waiting(kind)}});
  }
  list.emplace_back(json_object{{"kind", "slow"},
                                {"limit", delivery_budget_limits{}.slow},
                                {"in_use", budget.slow_in_use()},
                                {"waiting", 0}});
  return list;
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

/// Those that are stuck for the longest.
json_array stuck_in(const admin_services& admin) {
  auto list = json_array{};
  if (!admin.stuck)
    return list;
  auto stuck = admin.stuck();
  stuck.resize(std::min(stuck.size(), attention_max));
  for (auto& one : stuck)
    list.emplace_back(
        json_object{{"actor", std::move(one.name)}, {"since", to_iso8601(one.since)}});
  return list;
}

json_object glance_at(const api_services& services, time_point now) {
  auto attention = json_array{};
  if (services.board)
    for (const auto& host : worst_of(*services.board, now))
      attention.emplace_back(render(host, now));
  return {{"totals", render(services.board ? services.board->totals() : host_totals{})},
          {"budgets", services.budget ? render(*services.budget) : json_array{}},
          {"attention", std::move(attention)},
          {"stuck_actors", stuck_in(*services.admin)},
          {"as_of", to_iso8601(now)},
          {"complete", true},
          {"missing_nodes", json_array{}}};
}

} // namespace

void show_delivery(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto& services = *gateway.services;
  const auto now = services.clock();
  reply({.status = 200, .body = services.admin->glance.get(now, [&] {
           return to_json(glance_at(services, now));
         })});
}

} // namespace trunkline
