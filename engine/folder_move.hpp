/// Moves a node from the SQLite database of its folder into PostgreSQL, so that at no moment nodes
/// start from both without somebody's word: the folder is noted as moving before anything is
/// copied, the target is marked complete when all is compared, then the folder is noted as moved.
///
/// Blocks. The caller holds the folder's lock throughout.
#pragma once

#include "storage/database_move.hpp"

#include <functional>
#include <string>

namespace trunkline {

struct folder_move {
  std::string folder;
  std::string place; ///< Of the target, for people and without secrets: one line.
  catalogued_database source;
  catalogued_database target;
  chunk_limits limits = {};
};

/// Tells how far the move is. Fails with `errc::conflict` when the target holds anything else, or
/// when the folder was moved, or began to be, to another place.
caf::expected<move_stage> stage_of(const folder_move& move);

/// Begins the move or goes on with it, to its end; one that is complete only has its folder closed.
/// `on_table` is called for each table that was compared. The source must have the newest schema.
/// Fails as `stage_of` and `copy_and_compare` do, and with `errc::unavailable` when the note
/// cannot be written; called again it goes on.
caf::error finish(const folder_move& move, const std::function<void(const moved_table&)>& on_table);

} // namespace trunkline
