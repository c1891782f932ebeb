/// Log-in sessions of the pages where people log in. Only SHA-256 of a cookie comes here.
#pragma once

#include "storage/database.hpp"

#include <optional>
#include <string>

namespace trunkline {

caf::error store_session(database& db, const std::string& hash, account_id account, time_point now,
                         time_point expires_at);

/// Finds whose session it is; nothing for an unknown or ended one, or when its account is disabled
/// or deleted.
caf::expected<std::optional<account_id>> find_session(database& db, const std::string& hash,
                                                      time_point now);

caf::error delete_session(database& db, const std::string& hash);

} // namespace trunkline
