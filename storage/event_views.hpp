/// Reads what the operator's own programs are told of accounts and posts: everything, whoever may
/// see it. One statement for each list of ids, mentions apart.
#pragma once

#include "protocol/codes.hpp"
#include "protocol/ids.hpp"
#include "protocol/names.hpp"
#include "protocol/time.hpp"
#include "storage/database.hpp"
#include "storage/graph_store.hpp"

#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace trunkline {

/// An account that is, or was, known here.
struct told_account {
  std::string address; ///< "name" of ours, "name@host" of others.
  std::string uri;
  bool local = false;
  bool deleted = false;
};
using told_accounts = std::unordered_map<account_id, told_account>;

struct told_post {
  std::string uri;
  std::string html;
  std::string spoiler;
  std::string language; ///< "" when unknown.
  visibility seen_by = visibility::everyone;
  bool sensitive = false;
  post_id reply_to;
  std::vector<std::string> mentions; ///< Addresses, by the ids of the accounts.
};
using told_posts = std::unordered_map<post_id, told_post>;

/// When each of some follows was stored.
using follow_times = std::map<std::pair<account_id, account_id>, time_point>;

/// Returns those of `ids` that exist, deleted ones among them.
caf::expected<told_accounts> load_told_accounts(database& db, std::span<const account_id> ids,
                                                const url_space& urls);

/// Returns those of `ids` that exist.
caf::expected<told_posts> load_told_posts(database& db, std::span<const post_id> ids,
                                          const url_space& urls);

/// Returns those of `edges` that exist, accepted or not, by follower and followee. At most 500.
caf::expected<follow_times> load_follow_times(database& db, std::span<const follow_edge> edges);

} // namespace trunkline
