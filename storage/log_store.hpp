/// The log as it is read: in order, and by author. Rows are appended by `database::commit_batch`
/// alone, and go by `purge_log` of `log_retention.hpp`.
#pragma once

#include "protocol/log_entry.hpp"
#include "storage/database.hpp"

#include <cstddef>
#include <vector>

namespace trunkline {

/// Returns at most `limit` rows after `after`, in order. `facts` are those of the post by now; they
/// are there for create, update and announce, unless the post is gone.
caf::expected<std::vector<log_entry>> read_log(database& db, log_seq after, std::size_t limit);

/// Likewise, but only rows of `author`.
caf::expected<std::vector<log_entry>> read_log_of(database& db, account_id author, log_seq after,
                                                  std::size_t limit);

/// Returns the newest row's number; 0 in an empty log.
caf::expected<log_seq> newest_seq(database& db);

/// Which polls were voted in by a part of the log.
struct voted_polls {
  std::vector<post_id> posts; ///< Each once.
  log_seq upto = 0;           ///< The last row that was looked at.
};

/// Looks for votes in rows after `after`, written at `since` or later; at most `limit` votes.
caf::expected<voted_polls> read_votes(database& db, log_seq after, time_point since,
                                      std::size_t limit);

/// Returns the endpoints that row `seq` is owed to beside its audience, sorted.
caf::expected<std::vector<endpoint_id>> extra_endpoints(database& db, log_seq seq);

} // namespace trunkline
