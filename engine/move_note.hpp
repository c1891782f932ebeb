/// What a move leaves in the folder that it moves away: first `moving_to`, at the end `moved_to`. A
/// folder that has one of them starts no node.
#pragma once

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <optional>
#include <string>

namespace trunkline {

struct move_note {
  std::string id;         ///< Of the move; the database that is moved into knows it.
  std::string place;      ///< Of that database, for people: one line.
  bool is_closed = false; ///< The move is complete: `moved_to`.
};

/// Returns what stands in the folder; nothing when no move ever began. Fails with
/// `errc::unavailable` (context: the file and why).
caf::expected<std::optional<move_note>> read_move_note(const std::string& folder);

/// Writes `moving_to`, durably and whole or not at all. Fails with `errc::unavailable`.
caf::error write_move_note(const std::string& folder, const move_note& note);

/// Makes `moved_to` of `moving_to`, durably. Fails with `errc::unavailable`.
caf::error close_move_note(const std::string& folder);

/// Fails with `errc::config_invalid` when the folder has a note: says where its data went, how to
/// go on there and how to come back.
caf::error check_not_moved(const std::string& folder);

} // namespace trunkline
