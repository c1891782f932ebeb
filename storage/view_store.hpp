/// Reads what clients are shown: accounts, posts, relations and threads, as one viewer sees them.
///
/// A viewer of 0 is a stranger without an account. What the viewer may not see is left out, as if
/// it did not exist. Each call makes a bounded number of statements, whatever it is asked for.
/// `counts` are asked before anything is counted; null: everything is counted.
#pragma once

#include "protocol/views.hpp"
#include "storage/database.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trunkline {

/// Returns those of `ids` that exist, in the order of `ids`.
caf::expected<std::vector<account_view>>
load_accounts(database& db, std::span<const account_id> ids, known_counts* counts = nullptr);

/// Fails with `not_found`.
caf::expected<account_view> load_account(database& db, account_id id,
                                         known_counts* counts = nullptr);
caf::expected<own_account_view> load_own_account(database& db, account_id id,
                                                 known_counts* counts = nullptr);

/// Fails with `not_found`.
caf::expected<post_defaults> load_post_defaults(database& db, account_id id);

/// Finds an account by its name and domain ("" for ours), in any case. Fails with `not_found`.
caf::expected<account_id> find_account(database& db, const std::string& name,
                                       const std::string& domain);

/// Returns those of `ids` that `viewer` may see, in the order of `ids`.
caf::expected<std::vector<post_view>> load_posts(database& db, account_id viewer,
                                                 std::span<const post_id> ids, time_point now,
                                                 known_counts* counts = nullptr);

/// Fails with `not_found`, also when `viewer` may not see it.
caf::expected<post_view> load_post(database& db, account_id viewer, post_id id, time_point now,
                                   known_counts* counts = nullptr);

/// Finds the account's boost of `boosted`; nothing when there is none.
caf::expected<std::optional<post_id>> find_boost(database& db, account_id account, post_id boosted);

/// Returns the versions of a post, the first one first, the present one last.
caf::expected<std::vector<edit_view>> load_edits(database& db, const post& current);

/// Returns one relation for each of `targets` that exists, in their order.
caf::expected<std::vector<relation_view>> load_relations(database& db, account_id viewer,
                                                         std::span<const account_id> targets,
                                                         time_point now);

/// Fails with `not_found` when `viewer` may not see `id` itself.
caf::expected<thread_view> load_thread(database& db, account_id viewer, post_id id,
                                       const thread_limits& limits, time_point now,
                                       known_counts* counts = nullptr);

/// Returns ids of what `viewer` may see of the account's posts, newest first.
caf::expected<std::vector<post_id>> list_account_posts(database& db, account_id viewer,
                                                       const account_page& page);

caf::expected<server_figures> load_figures(database& db, time_point now);

/// Returns the oldest account that administers this server, or nobody.
caf::expected<std::vector<account_id>> find_first_admin(database& db);

/// Returns the names of the other servers that are known, sorted; at most 10,000.
caf::expected<std::vector<std::string>> list_peers(database& db);

} // namespace trunkline
