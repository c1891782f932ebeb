#include "storage/sqlite_error.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <string_view>

namespace trunkline {

namespace {

/// SQLite calls a full disk an I/O error when it met it elsewhere than in a plain write.
bool is_disk_full(sqlite3* connection, int code) {
  const auto primary = code & 0xff;
  if (primary == SQLITE_FULL)
    return true;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN)
    return false;
  // A sync that failed for want of space is no refusal: what it covered may be gone.
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
    return false;
  const auto system = connection ? sqlite3_system_errno(connection) : 0;
  return system == ENOSPC || system == EDQUOT;
}

/// "UNIQUE constraint failed: post.author, post.uri" names the columns after the colon.
std::string columns_in(std::string_view message) {
  const auto colon = message.find(": ");
  return std::string{colon == std::string_view::npos ? message : message.substr(colon + 2)};
}

errc meaning_of(int code) {
  switch (code & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_PROTOCOL:
  case SQLITE_NOMEM:
  case SQLITE_CANTOPEN: // out of descriptors: the file itself was opened at the start
    return errc::storage_busy;
  case SQLITE_IOERR:
    return code == SQLITE_IOERR_NOMEM ? errc::storage_busy : errc::storage_broken;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return errc::storage_broken;
  default:
    return errc::storage_refused;
  }
}

} // namespace

caf::error sqlite_failure(sqlite3* connection, int code, const std::string& file) {
  if (is_disk_full(connection, code))
    return make_error(errc::storage_full, "database: no space left for " + file);
  if (code == SQLITE_IOERR_DATA)
    return make_error(errc::storage_broken,
                      "database " + file +
                          ": a page does not fit its checksum: it was damaged, or"
                          " changed by another program");
  const auto message = std::string{connection ? sqlite3_errmsg(connection) : sqlite3_errstr(code)};
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
      code == SQLITE_CONSTRAINT_ROWID)
    return make_error(errc::unique_violation, columns_in(message));
  const auto number = " (" + std::to_string(code) + ")";
  return make_error(meaning_of(code), "database " + file + ": " + message + number);
}

} // namespace trunkline
