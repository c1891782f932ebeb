/// The schema, as numbered migrations that are never edited after a release.
#pragma once

#include "storage/database.hpp"

#include <cstdint>

namespace trunkline {

/// Returns the number of the newest migration this program knows.
std::int64_t schema_version();

/// Brings an empty or older database to `schema_version()`, each migration in a transaction of its
/// own; running it again changes nothing. Two processes that do it at once on PostgreSQL wait for
/// each other. Fails with `errc::storage_refused` on a database that a newer program made.
caf::error migrate(database& db);

} // namespace trunkline
