/// Posts through the account region: what the engine does without HTTP in front of it.
#pragma once

#include "bench/figures.hpp"
#include "engine/node_actors.hpp"

#include <vector>

namespace trunkline::bench {

/// Makes `count` local accounts and returns their ids; each gets a token "bench-<number>" from 1.
std::vector<account_id> make_accounts(database& db, id_source& ids, std::size_t count);

/// Lets `posters` accounts post for `span`, each one post at a time. Blocks.
load_figures post_through_accounts(node_actors& actors, const std::vector<account_id>& accounts,
                                   std::size_t posters, std::chrono::seconds span);

} // namespace trunkline::bench
