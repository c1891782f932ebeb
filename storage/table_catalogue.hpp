/// The tables of a database as its own catalogue lists them, so that whoever copies them all
/// forgets none.
#pragma once

#include "storage/database.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

enum class column_kind : std::uint8_t { number, text, bytes };

struct table_column {
  std::string name;
  column_kind kind = column_kind::number;
  friend bool operator==(const table_column&, const table_column&) = default;
};

/// Its names are lower-case letters, digits and underscores alone, which no statement misreads.
struct table_shape {
  std::string name;
  std::vector<table_column> columns; ///< In the order of the table.
  std::vector<std::size_t> key;      ///< Places in `columns`, in the order of the primary key.
  friend bool operator==(const table_shape&, const table_shape&) = default;
};

/// How one kind of database is asked about its tables.
struct catalogue_dialect {
  /// Gives table, column, type in lower case, and place in the primary key (from 1; 0: none), one
  /// table after the other, its columns in their order.
  std::string_view columns_sql;
  /// Follows a text column that is to be ordered and compared by its bytes.
  std::string_view by_bytes;
};

/// A connection, which outlives this, and how it is asked.
struct catalogued_database {
  database& db;
  const catalogue_dialect& dialect;
};

/// Returns the names of all tables, whoever made them.
caf::expected<std::vector<std::string>> table_names(const catalogued_database& in);

/// Returns all tables, by name. Fails with `errc::storage_refused` when one has a name, a column
/// type or a key (none) that ours never have.
caf::expected<std::vector<table_shape>> read_catalogue(const catalogued_database& in);

} // namespace trunkline
