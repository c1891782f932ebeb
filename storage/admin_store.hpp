/// What operators do to accounts, and the tokens of the admin API. Only hashes of secrets come
/// here.
#pragma once

#include "protocol/admin.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// Fails with `errc::conflict` when the name is taken, or was ever.
caf::error insert_account(database& db, const operator_account& account);

/// Finds a local account, deleted ones included; fails with `errc::not_found` when there is none.
caf::expected<account_overview> overview_of(database& db, account_id account);

/// Finds a local account by its folded name; nothing when there is none.
caf::expected<std::optional<account_overview>> overview_named(database& db,
                                                              const std::string& folded);

/// At most `limit` local accounts with an id above `after`, by id.
caf::expected<std::vector<account_overview>> overviews_after(database& db, account_id after,
                                                             std::int64_t limit);

/// Fails with `errc::not_found` when there is no such local account.
caf::error set_password_hash(database& db, account_id account, const std::string& hash);

/// Disables the account since `at`, or enables it. Returns whether that changed anything; fails
/// with `errc::not_found` when there is no such local account.
caf::expected<bool> set_disabled(database& db, account_id account, std::optional<time_point> at);

caf::error insert_admin_token(database& db, const std::string& hash, admin_scope scope,
                              const std::string& name, time_point now);

/// Finds whose the token with `hash` is; nothing for an unknown one.
caf::expected<std::optional<admin_holder>> find_admin_token(database& db, const std::string& hash);

} // namespace trunkline
