#include "engine/folder_move.hpp"

#include "engine/move_note.hpp"
#include "protocol/crypto.hpp"
#include "protocol/errc.hpp"

#include <optional>

namespace trunkline {

namespace {

constexpr std::size_t id_bytes = 16;

/// A target without tables may be the one that was noted, only just begun or made again.
bool leads_elsewhere(const folder_move& move, const std::optional<move_note>& note,
                     move_stage stage) {
  return note && stage == move_stage::not_begun && (note->is_closed || note->place != move.place);
}

/// Returns the note of this move, and writes it when there is none.
caf::expected<move_note> note_of(const folder_move& move) {
  auto found = read_move_note(move.folder);
  if (!found)
    return std::move(found.error());
  if (*found)
    return std::move(**found);
  auto note = move_note{.id = to_hex(random_bytes(id_bytes)), .place = move.place};
  if (auto failure = write_move_note(move.folder, note))
    return failure;
  return note;
}

caf::error fill_target(const folder_move& move, const move_note& note,
                       const std::function<void(const moved_table&)>& on_table) {
  const auto all = database_move{
      .source = move.source, .target = move.target, .id = note.id, .limits = move.limits};
  if (auto failure = copy_and_compare(all, on_table))
    return failure;
  return complete_move(move.target);
}

} // namespace

caf::expected<move_stage> stage_of(const folder_move& move) {
  const auto note = read_move_note(move.folder);
  if (!note)
    return note.error();
  auto stage = stage_of_move(move.target, *note ? (*note)->id : std::string{});
  if (!stage || !leads_elsewhere(move, *note, *stage))
    return stage;
  return make_error(errc::conflict, context_of(check_not_moved(move.folder)));
}

caf::error finish(const folder_move& move,
                  const std::function<void(const moved_table&)>& on_table) {
  const auto stage = stage_of(move);
  if (!stage)
    return stage.error();
  const auto note = note_of(move);
  if (!note)
    return note.error();
  if (*stage != move_stage::complete)
    if (auto failure = fill_target(move, *note, on_table))
      return failure;
  return note->is_closed ? caf::error{} : close_move_note(move.folder);
}

} // namespace trunkline
