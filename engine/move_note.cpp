#include "engine/move_note.hpp"

#include "protocol/errc.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace trunkline {

namespace {

std::string open_file(const std::string& folder) {
  return folder + "/moving_to";
}

std::string closed_file(const std::string& folder) {
  return folder + "/moved_to";
}

caf::error unusable(const std::string& path, int number) {
  return make_error(errc::unavailable, path + ": " + std::generic_category().message(number));
}

caf::error sync_path(const std::string& path, int flags) {
  const auto descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  const auto synced = descriptor >= 0 ? ::fsync(descriptor) : -1;
  const auto number = errno;
  if (descriptor >= 0)
    ::close(descriptor);
  return synced == 0 ? caf::error{} : unusable(path, number);
}

/// The folder too: a name that a crash takes away would open it again.
caf::error rename_in(const std::string& folder, const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    return unusable(to, errno);
  return sync_path(folder, O_RDONLY | O_DIRECTORY);
}

caf::expected<std::optional<move_note>> read_note(const std::string& file, bool is_closed) {
  auto failure = std::error_code{};
  if (!std::filesystem::exists(file, failure) && !failure)
    return std::optional<move_note>{};
  auto in = std::ifstream{file};
  auto note = move_note{.is_closed = is_closed};
  if (!std::getline(in, note.id) || !std::getline(in, note.place))
    return make_error(errc::unavailable, file + ": cannot be read");
  return std::optional{std::move(note)};
}

} // namespace

caf::expected<std::optional<move_note>> read_move_note(const std::string& folder) {
  auto open = read_note(open_file(folder), false);
  return !open || *open ? open : read_note(closed_file(folder), true);
}

caf::error write_move_note(const std::string& folder, const move_note& note) {
  const auto part = open_file(folder) + ".part";
  auto out = std::ofstream{part};
  out << note.id << '\n' << note.place << '\n';
  out.close();
  if (!out)
    return make_error(errc::unavailable, part + ": cannot be written");
  // Whoever moved the folder, the node's own user must be told. It holds no secret.
  if (::chmod(part.c_str(), 0644) != 0)
    return unusable(part, errno);
  if (auto failure = sync_path(part, O_RDONLY))
    return failure;
  return rename_in(folder, part, open_file(folder));
}

caf::error close_move_note(const std::string& folder) {
  return rename_in(folder, open_file(folder), closed_file(folder));
}

caf::error check_not_moved(const std::string& folder) {
  const auto note = read_move_note(folder);
  if (!note)
    return note.error();
  if (!*note)
    return {};
  const auto& place = (*note)->place;
  if ((*note)->is_closed)
    return make_error(errc::config_invalid,
                      "storage.folder: what " + folder + " held was moved to " + place +
                          ", and the folder has old data: set storage.postgres_url_file to go on"
                          " there. To come back here, without what was written there since, stop"
                          " what runs there and remove " +
                          closed_file(folder));
  return make_error(errc::config_invalid,
                    "storage.folder: a move of " + folder + " to " + place +
                        " has begun: run `trunkline migrate sqlite-to-postgres` again to finish it."
                        " To give it up, drop that database and remove " +
                        open_file(folder));
}

} // namespace trunkline
