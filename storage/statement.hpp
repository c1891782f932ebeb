/// What a statement's text tells before any database has seen it, and the checks of its values.
///
/// Both databases use the same checks, so that both refuse the same things in the same words.
#pragma once

#include "storage/database.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace trunkline {

struct statement_shape {
  std::size_t parameters = 0; ///< The highest `$n`.
  bool uses_all = true;       ///< Each of `$1` to `$parameters` appears.
  bool writes = false;        ///< INSERT, UPDATE or DELETE (also after WITH): rows are counted.
  std::string table;          ///< What it writes to; "" when it only reads.
};

/// Reads `sql`; what stands in quotes is no parameter.
statement_shape shape_of(std::string_view sql);

/// Refuses values that do not fit: a parameter without value or a value without parameter
/// (`errc::storage_refused`); text that is not UTF-8 or has a NUL (`errc::invalid`), which
/// PostgreSQL cannot store and SQLite would cut.
caf::error check_values(const statement_shape& shape, std::span<const sql_value> values);

/// Tells whether `text` is well-formed UTF-8 without NUL. Noncharacters such as U+FFFF pass.
bool is_storable(std::string_view text);

} // namespace trunkline
