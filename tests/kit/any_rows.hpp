/// Rows of every table, made from the catalogue alone: NULLs where they may be, empty and binary
/// values, unicode, the ends of 64 bits.
#pragma once

#include "storage/database.hpp"

#include <cstdint>

namespace trunkline::kit {

/// Tries to add `rows` rows to each table of `db`, a SQLite with all migrations, but to
/// `schema_version`; what a unique index refuses is left out. The same seed gives the same rows.
void add_any_rows(database& db, std::uint32_t seed, int rows);

} // namespace trunkline::kit
