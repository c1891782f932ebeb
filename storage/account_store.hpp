/// Local accounts as those see them who log in.
#pragma once

#include "protocol/access.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>

namespace trunkline {

/// Finds who logs in with a name or an e-mail address, in any case; nothing when nobody does. A
/// name goes before an address.
caf::expected<std::optional<login_subject>> find_login(database& db, const std::string& name);

/// Tells whether a local account is disabled; nothing for one that is not ours, or is gone.
caf::expected<std::optional<bool>> is_disabled(database& db, account_id account);

} // namespace trunkline
