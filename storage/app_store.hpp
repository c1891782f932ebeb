/// Registered applications: the clients of OAuth.
#pragma once

#include "protocol/access.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>

namespace trunkline {

caf::error store_app(database& db, const stored_app& app);

/// Each finds an app, or nothing.
caf::expected<std::optional<stored_app>> find_app(database& db, const std::string& client_id);
caf::expected<std::optional<stored_app>> find_app(database& db, app_id id);

} // namespace trunkline
