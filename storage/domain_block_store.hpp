/// Domains that an account, or the whole server, does not want to hear from. A blocked domain
/// includes its subdomains.
///
/// Blocking and the end of the follows are two steps: follows end in rounds, each in a transaction
/// of its own, because a domain may have any number of them.
#pragma once

#include "protocol/ids.hpp"
#include "storage/database.hpp"
#include "storage/graph_store.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

/// The account of blocks that count for the whole server.
inline constexpr auto whole_server = account_id{};

/// The column `domain_block.severity`.
enum class domain_severity : std::uint8_t {
  silence = 1, ///< Shown to followers alone.
  suspend = 2, ///< Nothing goes in or out.
};

struct domain_block_row {
  account_id owner; ///< `whole_server`, or whose block it is.
  std::string host; ///< Canonical, without port.
  domain_severity severity = domain_severity::suspend;
  std::string reason;
  time_point at;
};

/// Blocks, or changes how. Returns whether anything changed.
caf::expected<bool> store_domain_block(database& db, const domain_block_row& row);
caf::expected<bool> erase_domain_block(database& db, account_id owner, const std::string& host);

/// Returns the owner's blocks after `after`, by name; at most `limit`.
caf::expected<std::vector<domain_block_row>>
list_domain_blocks(database& db, account_id owner, const std::string& after, std::int64_t limit);

/// Tells whether `owner` or the server blocks `host` or a domain above it, as `suspend`.
caf::expected<bool> is_domain_blocked(database& db, account_id owner, const std::string& host);

/// A follow that ended with a block.
struct ended_follow {
  follow_edge edge;
  bool was_accepted = false;
  std::string uri; ///< The id of the Follow.
};

/// Ends at most `limit` follows between `owner` (or anybody of ours for `whole_server`) and
/// accounts of `host` and its subdomains, in both directions. Fewer than `limit`: none is left.
caf::expected<std::vector<ended_follow>>
end_follows_with(database& db, account_id owner, const std::string& host, std::int64_t limit);

/// Forgets at most `limit` notifications that `owner` has from accounts of `host` and its
/// subdomains. Returns how many.
caf::expected<std::int64_t> remove_notifications_of(database& db, account_id owner,
                                                    const std::string& host, std::int64_t limit);

} // namespace trunkline
