/// Where the microseconds of a post go, each stage measured alone on one thread.
#pragma once

#include "bench/figures.hpp"
#include "engine/node_storage.hpp"

namespace trunkline::bench {

/// Measures, for batches of `batch` posts by as many accounts: checking and rendering the text; the
/// rows of a post in its savepoint; log rows, commit and sync. Wall-clock time per post.
stage_costs measure_stages(node_databases& databases, const std::vector<account_id>& accounts,
                           std::size_t batch, std::chrono::seconds span);

} // namespace trunkline::bench
