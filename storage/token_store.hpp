/// Access tokens, authorization codes and log-in sessions. Only SHA-256 of a secret comes here.
#pragma once

#include "protocol/access.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>

namespace trunkline {

/// Finds whose token has `hash`; nothing for an unknown one, or when its account is disabled or
/// deleted.
caf::expected<std::optional<token_owner>> find_token(database& db, const std::string& hash);

caf::error store_token(database& db, const std::string& hash, const token_owner& owner);

/// Deletes the token; returns whose it was, or nothing when there was none.
caf::expected<std::optional<token_owner>> delete_token(database& db, const std::string& hash);

/// Deletes all tokens, codes and sessions of `account`; returns how many rows.
caf::expected<std::int64_t> delete_access(database& db, account_id account);

caf::error store_code(database& db, const std::string& hash, const code_grant& grant);

/// Finds what the code with `hash` was given for; nothing for an unknown one, or when its account
/// is disabled or deleted.
caf::expected<std::optional<code_grant>> find_code(database& db, const std::string& hash);

/// Marks the code as exchanged for the token.
caf::error spend_code(database& db, const std::string& hash, const std::string& token_hash);

/// Deletes codes and sessions that ended before `now`; at most 1,000 of each.
caf::error delete_expired_access(database& db, time_point now);

} // namespace trunkline
