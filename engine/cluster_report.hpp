/// What GET /admin/v1/cluster and /admin/v1/nodes show, on a node that serves as on one that stands
/// by.
#pragma once

#include "actors/link_board.hpp"
#include "protocol/json.hpp"
#include "protocol/time.hpp"
#include "storage/cluster_store.hpp"

#include <chrono>
#include <map>
#include <string>

namespace trunkline {

/// Returns the name of the node that serves, its id when it has none; "" when nobody serves.
std::string serving_name(const cluster_view& view);

/// Returns the view as /admin/v1/cluster shows it: `node` is who tells, `serves` null for nobody;
/// the nodes by id, times in the database's clock. A member that has not renewed for `fresh_for` is
/// among `missing_nodes`; when the view `is_old`, because the database cannot be reached, every
/// other member is.
json_object report_of(const cluster_view& view, std::int64_t told_by, bool is_old);

/// The same of a node that shares its database with nobody.
json_object report_of_lone_node(time_point now);

/// Returns the same as /admin/v1/nodes shows it, with what each node said of itself at
/// `reported_at`: `own` by now. There `state` is its own word, null before it said any, and
/// `member` what the view says.
json_object nodes_of(const cluster_view& view, std::int64_t told_by, bool is_old,
                     const json_object& own);

/// The same of a node that shares its database with nobody.
json_object nodes_of_lone_node(const json_object& own, time_point now);

/// Returns the links of a node as its report has them: the round trip, or since when and why there
/// is none. Short, for every node reads those of all others.
json_array shown_links(const std::map<std::string, link_facts>& links,
                       std::chrono::steady_clock::time_point at, time_point now);

} // namespace trunkline
