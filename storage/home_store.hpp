/// Home timelines, read from storage: the viewer's graph, a whole home for a cold ring, and parts
/// of it that no ring holds. Nothing is written.
#pragma once

#include "protocol/home.hpp"
#include "storage/database.hpp"
#include "storage/home_merge.hpp"

#include <cstddef>
#include <vector>

namespace trunkline {

/// Returns whom `viewer` follows, mutes and blocks, and who blocks him.
caf::expected<viewer_graph> read_viewer_graph(database& db, account_id viewer);

/// Returns what a ring holds: the newest `home_ring_size` posts that may belong to the home of
/// `viewer` at `now`. `seq` is read first, so the rest is at least as new.
caf::expected<home_snapshot> read_home_snapshot(database& db, account_id viewer, time_point now);

/// Returns the first `limit` posts of the range that belong to the home of `graph.viewer` at
/// `now`, in the order of the range. Fewer: there are no more, or `home_scan_max` was reached.
caf::expected<std::vector<post_id>> read_home_range(database& db, const viewer_graph& graph,
                                                    home_range range, std::size_t limit,
                                                    time_point now);

} // namespace trunkline
