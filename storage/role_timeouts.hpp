/// The timeouts that a role of PostgreSQL needs, and which of them it lacks.
///
/// They stand on the role because a pooler in transaction mode keeps nothing that a session sets.
/// They end what a node has given up: it hangs up on a server that does not answer, and what the
/// server runs for it then goes on holding its locks.
#pragma once

#include "storage/database.hpp"

#include <caf/expected.hpp>

#include <string>
#include <vector>

namespace trunkline {

/// Returns what an administrator of `db`, a PostgreSQL, must run: an ALTER ROLE for each timeout
/// that is off or longer than it may be. Outside of a transaction only.
caf::expected<std::vector<std::string>> missing_role_timeouts(database& db);

} // namespace trunkline
