/// Domains that the whole server blocks, as changes for `ask_storage`.
///
/// Nobody elsewhere hears of it: what goes to a blocked domain is stopped at dispatch, what comes
/// from it at the door. Rows of the log let timelines and caches forget what has ended.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/object_key.hpp"
#include "storage/domain_block_store.hpp"

#include <string>

namespace trunkline {

/// Follows that end in one round of a domain block.
inline constexpr std::int64_t domain_round = 500;

/// What the log's rows about a blocked domain are about; `owner` 0 is the server.
object_key domain_key(account_id owner, const std::string& host);

/// Blocks a domain for everybody and ends a round of the follows with it, in both directions;
/// returns whether some are left, for another round. Silence ends no follow. Fails with `invalid`
/// when `wish.host` is no host name; `wish.owner` and `wish.at` are ignored.
command<bool> block_domain_for_all(domain_block_row wish);

/// Returns whether the domain was blocked. Follows that ended do not come back.
command<bool> unblock_domain_for_all(std::string host);

} // namespace trunkline
