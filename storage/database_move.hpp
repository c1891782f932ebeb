/// Moves all that a database holds into an empty one, on another kind of database too: in chunks,
/// so that it goes on where it was after any end, and compared row by row before it counts.
///
/// Blocks. Nobody may write to either database meanwhile; the caller sees to that.
#pragma once

#include "storage/table_rows.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

enum class move_stage : std::uint8_t {
  not_begun,  ///< The target has no tables.
  unfinished, ///< It holds a part, or all, and is not marked complete.
  complete,   ///< It was compared, and is marked.
};

struct moved_table {
  std::string name;
  std::int64_t rows = 0;
  std::string digest; ///< 32 bytes over all rows by their key; none without rows.
};

struct database_move {
  catalogued_database source;
  catalogued_database target;
  std::string id; ///< Names the move in the target.
  chunk_limits limits = {};
};

/// Tells how far the move `id` into `target` is. Fails with `errc::conflict`, and says what to do,
/// when the target holds anything else.
caf::expected<move_stage> stage_of_move(const catalogued_database& target, std::string_view id);

/// Returns the tables of `source` and how many rows each has, without digests.
caf::expected<std::vector<moved_table>> count_tables(const catalogued_database& source);

/// Makes the schema in the target, which is empty or holds this very move unfinished; copies what
/// is not there yet; then reads every table on both sides and compares number and digest of the
/// rows. `on_table` is called for each table that is the same. The target is not marked complete.
///
/// The source must have the newest schema. Fails with `errc::conflict` when a table differs, and
/// with what the databases say; called again it goes on.
caf::error copy_and_compare(const database_move& move,
                            const std::function<void(const moved_table&)>& on_table);

/// Marks the target complete, after which nodes may use it.
caf::error complete_move(const catalogued_database& target);

} // namespace trunkline
