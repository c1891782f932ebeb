/// What stands before several nodes in one actor system: one handle for all dispatchers, and one
/// for all regions of hosts.
#pragma once

#include "actors/dispatcher_messages.hpp"
#include "actors/remote_host_messages.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace trunkline::kit {

using host_region_handle = region_of<remote_host_handle>;

/// Tells all dispatchers what came, and the one of a host what that host tells; sums up what they
/// report.
dispatcher_handle::behavior_type
all_dispatchers(dispatcher_handle::pointer self,
                std::function<std::vector<dispatcher_handle>()> all_nodes,
                std::function<std::size_t(const host_address&)> node_of);

/// Hands each message to the region of the node that its host is of.
host_region_handle::behavior_type
region_by_host(host_region_handle::pointer self,
               std::function<host_region_handle(const host_address&)> region_of_host);

} // namespace trunkline::kit
