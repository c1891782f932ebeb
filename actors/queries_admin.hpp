/// Questions and changes of the admin API, for `ask_storage`. Secrets come as hashes alone.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/admin.hpp"

#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// Whose the admin token with the SHA-256 `hash` is; fails with `unauthenticated`.
query<admin_holder> ask_admin_token(std::string hash);

/// Gives the scope back.
command<admin_scope> create_admin_token(std::string hash, admin_scope scope, std::string name);

/// Fails with `not_found`.
query<account_overview> ask_account(account_id account);

/// The local account of that folded name; an empty list when there is none.
query<std::vector<account_overview>> ask_accounts_named(std::string folded);

/// At most `limit` local accounts with an id above `after`, by id.
query<std::vector<account_overview>> ask_accounts(account_id after, std::int64_t limit);

/// Fails with `conflict` when the name is taken, or was ever.
command<account_overview> create_account(operator_account account);

/// Disables or enables; disabling ends every token, code and session. Adds a row to the log when
/// that changes anything. Fails with `not_found`.
command<account_overview> disable_account(account_id account, bool disabled);

/// Sets the password and ends every token, code and session. Fails with `not_found`.
command<account_overview> change_password(account_id account, std::string password_hash);

/// Makes a client's access token that belongs to no app. Fails with `not_found`, and with
/// `conflict` while the account is disabled.
command<account_overview> create_user_token(account_id account, std::string hash,
                                            std::string scopes);

} // namespace trunkline
