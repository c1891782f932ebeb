/// What a node answers about its own board of hosts, to itself and to others; and how what several
/// nodes have answered is put together.
#pragma once

#include "actors/board_records.hpp"
#include "actors/delivery_budget.hpp"
#include "actors/host_board.hpp"
#include "api/api_services.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {

/// A host, and the node that delivers to it.
struct placed_host {
  std::string node;
  host_line line;
};

/// What an overview is made of; what is null is left out.
struct overview_sources {
  const host_board* board = nullptr;
  const delivery_budget* budget = nullptr;
  const std::function<std::vector<stuck_actor>()>* stuck = nullptr;
};

board_overview overview_of(const overview_sources& sources, time_point now);

/// Returns the lines that are there.
std::vector<host_line> lines_of(const host_board& board, const std::vector<host_address>& hosts);

/// Hosts with units that operators have cancelled, at most `board_lines_max`.
std::vector<host_line> cancelled_hosts(const host_board& board);

/// Tells which node a host belongs to, by its name.
using node_finder = std::function<std::string(const host_address&)>;

/// Returns a finder for the names of nodes as `placed_host` has them.
node_finder finder_in(const api_services& services);

/// Returns the first `limit` of all in that order. A host that is on its way between two nodes may
/// be on both boards: it is listed once, where `node_of` says it belongs.
std::vector<placed_host> merged(std::vector<placed_host> hosts, host_order order, std::size_t limit,
                                const node_finder& node_of);

/// Returns the worst of all, at most `attention_max`; each host once, likewise.
std::vector<placed_host> worst_among(std::vector<placed_host> hosts, time_point now,
                                     const node_finder& node_of);

} // namespace trunkline
