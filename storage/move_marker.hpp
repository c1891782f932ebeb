/// What a database says about a move into it: that one has begun or is complete, and how far each
/// table is.
///
/// It stands in tables of its own, which no migration makes: only a database that was moved into
/// has them.
#pragma once

#include "storage/row_encoding.hpp"
#include "storage/table_catalogue.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace trunkline {

struct move_marker {
  std::string id; ///< Made up where the move began; found again by it.
  bool is_complete = false;
  std::int64_t schema = 0; ///< Version for which the tables were emptied; 0: not yet.
};

/// How far a table is copied.
struct table_progress {
  sql_row last_key; ///< Of the last row that was copied; empty: none was.
  std::int64_t rows = 0;
  row_digest digest; ///< Of the copied rows as they were read.
};

/// Tells whether `table` is one of the two tables behind this.
bool is_move_table(std::string_view table);

/// Returns the marker; nothing when nothing was ever moved into the database.
caf::expected<std::optional<move_marker>> find_move_marker(const catalogued_database& in);

/// Fails with `errc::config_invalid` when a move into the database has begun and is not complete:
/// no node may use what is half there.
caf::error check_move_is_complete(const catalogued_database& in);

/// Marks the database, which has no tables, for the move `id`, which has begun. Fails with
/// `errc::conflict`, and changes nothing, when somebody made a table meanwhile.
caf::error create_move_marker(const catalogued_database& in, std::string_view id);

/// Puts every table of `tables` back to its beginning, and notes the schema they have.
caf::error reset_progress(database& db, std::span<const table_shape> tables, std::int64_t schema);

/// Returns how far the table is. Fails with `errc::storage_refused` when nobody began it.
caf::expected<table_progress> read_progress(database& db, const std::string& table);

/// The next step of a table, in one transaction with its rows.
struct progress_step {
  std::int64_t rows_before = 0;
  table_progress after;
};

/// Fails with `errc::conflict` when the table is not where `step` begins: another process copies
/// into the database.
caf::error advance_progress(database& db, const std::string& table, const progress_step& step);

/// Marks the move complete and removes the progress.
caf::error complete_move_marker(database& db);

} // namespace trunkline
