#include "api/board_answers.hpp"

#include "api/admin_host_views.hpp"
#include "api/admin_services.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace trunkline {

namespace {

std::vector<budget_line> lines_of(const delivery_budget& budget) {
  auto lines = std::vector<budget_line>{};
  for (auto code = std::size_t{0}; code < budget_kinds; ++code) {
    const auto kind = static_cast<budget_kind>(code);
    lines.push_back({.kind = std::string{to_string(kind)},
                     .limit = budget.limit(kind),
                     .in_use = budget.in_use(kind),
                     .waiting = budget.waiting(kind)});
  }
  lines.push_back({.kind = "slow",
                   .limit = delivery_budget_limits{}.slow,
                   .in_use = budget.slow_in_use(),
                   .waiting = 0});
  return lines;
}

/// Keeps one of the lines that a host has on several boards: its own node's, or the first.
void keep_one_each(std::vector<placed_host>& hosts, const node_finder& node_of) {
  auto kept = std::vector<placed_host>{};
  auto places = std::map<host_address, std::size_t>{};
  for (auto& host : hosts) {
    const auto [place, is_new] = places.try_emplace(host.line.address, kept.size());
    if (is_new)
      kept.push_back(std::move(host));
    else if (host.node == node_of(host.line.address))
      kept[place->second] = std::move(host);
  }
  hosts = std::move(kept);
}

bool is_before(host_order order, const host_line& one, const host_line& other) {
  const auto here = place_of(order, one);
  const auto there = place_of(order, other);
  return std::tie(here.number, here.name, here.id) < std::tie(there.number, there.name, there.id);
}

} // namespace

board_overview overview_of(const overview_sources& sources, time_point now) {
  auto overview = board_overview{};
  if (sources.board) {
    overview.totals = sources.board->totals();
    overview.worst = worst_of(*sources.board, now);
  }
  if (sources.budget)
    overview.budgets = lines_of(*sources.budget);
  if (sources.stuck && *sources.stuck) {
    overview.stuck = (*sources.stuck)();
    overview.stuck.resize(std::min(overview.stuck.size(), attention_max));
  }
  return overview;
}

std::vector<host_line> lines_of(const host_board& board, const std::vector<host_address>& hosts) {
  auto lines = std::vector<host_line>{};
  for (const auto& host : hosts)
    if (auto line = board.find(host))
      lines.push_back(std::move(*line));
  return lines;
}

std::vector<host_line> cancelled_hosts(const host_board& board) {
  return board.list({.order = host_order::name, .only_cancelled = true, .limit = board_lines_max});
}

node_finder finder_in(const api_services& services) {
  const auto& node_of = services.admin->owners.node_of;
  return [node_of, own = services.admin->node_id](const host_address& host) {
    const auto node = node_of ? node_of(host) : "";
    return node.empty() ? own : node;
  };
}

std::vector<placed_host> merged(std::vector<placed_host> hosts, host_order order, std::size_t limit,
                                const node_finder& node_of) {
  keep_one_each(hosts, node_of);
  std::ranges::sort(hosts, [order](const placed_host& one, const placed_host& other) {
    return is_before(order, one.line, other.line);
  });
  if (hosts.size() > limit)
    hosts.resize(limit);
  return hosts;
}

std::vector<placed_host> worst_among(std::vector<placed_host> hosts, time_point now,
                                     const node_finder& node_of) {
  keep_one_each(hosts, node_of);
  std::erase_if(hosts, [now](const placed_host& host) { return !needs_attention(host.line, now); });
  std::ranges::sort(hosts, [now](const placed_host& one, const placed_host& other) {
    return is_worse(one.line, other.line, now);
  });
  if (hosts.size() > attention_max)
    hosts.resize(attention_max);
  return hosts;
}

} // namespace trunkline
