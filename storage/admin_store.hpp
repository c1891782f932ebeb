/// What operators do to accounts, and the tokens of the admin API. Only hashes of secrets come
/// here.
#pragma once

#include "storage/database.hpp"

#include <optional>
#include <string>

namespace trunkline {

/// A local account as an operator makes it.
struct new_account {
  account_id id;
  std::string name;          ///< As its owner writes it.
  std::string folded;        ///< Lower case; unique.
  std::string uri;           ///< Unique.
  std::string password_hash; ///< As `hash_password` makes it.
  std::int64_t role = 0;     ///< 0 user, 1 admin.
  time_point created_at;
};

/// A local account as an operator sees it.
struct account_overview {
  account_id id;
  std::string name;
  std::int64_t role = 0;
  time_point created_at;
  std::optional<time_point> disabled_at;
  std::optional<time_point> deleted_at;
  std::int64_t posts = 0; ///< Boosts included.
  std::int64_t followers = 0;
  std::int64_t following = 0;
  std::int64_t tokens = 0;
};

/// Fails with `errc::unique_violation` when the name is taken, or was ever.
caf::error insert_account(database& db, const new_account& account);

/// Finds a local account, deleted ones included; nothing when there is none.
caf::expected<std::optional<account_overview>> overview_of(database& db, account_id account);

/// Finds the id of a local account by its folded name; nothing when there is none.
caf::expected<std::optional<account_id>> find_local(database& db, const std::string& folded);

/// Returns whether there was such a local account.
caf::expected<bool> set_password_hash(database& db, account_id account, const std::string& hash);

/// Disables the account since `at`, or enables it. Returns whether that changed anything; fails
/// with `errc::not_found` when there is no such local account.
caf::expected<bool> set_disabled(database& db, account_id account, std::optional<time_point> at);

/// What a token of the admin API may do; the numbers stand in the database.
enum class admin_scope : std::int64_t { read = 1, operate = 2 };

caf::error insert_admin_token(database& db, const std::string& hash, admin_scope scope,
                              const std::string& name, time_point now);

/// Finds what the token with `hash` may do; nothing for an unknown one.
caf::expected<std::optional<admin_scope>> find_admin_token(database& db, const std::string& hash);

} // namespace trunkline
