/// All rows of a table in the order of its key, a chunk at a time, and the way into another table
/// of the same shape.
///
/// The statements are made of names that the catalogue gave and `read_catalogue` has looked at.
#pragma once

#include "storage/table_catalogue.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace trunkline {

/// How much of a table is in memory at once.
struct chunk_limits {
  std::int64_t rows_max = 500;
  std::int64_t bytes_max = 4 << 20; ///< What the rows hold; a larger one is a chunk of its own.
};

class table_reader {
public:
  /// What `from` and `table` refer to must outlive this.
  table_reader(const catalogued_database& from, const table_shape& table,
               const chunk_limits& limits);

  /// Returns the first rows whose key is greater than `key`, of all rows when that is empty: at
  /// least one unless there is none. Numbers and bytes are compared as such, text by its bytes.
  caf::expected<std::vector<sql_row>> read_after(const sql_row& key) const;

private:
  caf::expected<std::int64_t> rows_that_fit(const sql_row& key) const;
  caf::expected<std::vector<sql_row>> select(const std::string& what, const sql_row& key,
                                             std::int64_t limit) const;

  database& db_;
  const table_shape& table_;
  chunk_limits limits_;
  std::string columns_;
  std::string key_columns_;
  std::string size_; ///< At least the bytes of a row; "" when all rows are small.
};

/// Returns the key of a row of `table`.
sql_row key_of(const table_shape& table, const sql_row& row);

/// Returns how many rows `table` has.
caf::expected<std::int64_t> count_rows(database& db, const table_shape& table);

/// Adds `rows`, of which none may be there. Fails with `errc::conflict` when a value is not what
/// its column is for.
caf::error insert_rows(database& db, const table_shape& table, std::span<const sql_row> rows);

/// Removes all rows.
caf::error clear_table(database& db, const table_shape& table);

} // namespace trunkline
