/// SQLite behind the seam: one file, one writer, pooled readers.
///
/// Write-ahead log with `synchronous=FULL`: what was committed is on the disk. A full disk and a
/// lock are refused and roll back; an I/O error in write, sync, commit or checkpoint is
/// `errc::storage_broken`, and from then on the writer refuses everything with it: the process must
/// end. A reader that meets a damaged page fails alone. The batch table is not used: a commit's
/// outcome is never unknown here.
#pragma once

#include "storage/database.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace trunkline {

enum class sqlite_mode {
  writer, ///< Makes the file when it is missing. One per file; a second one waits, then fails.
  reader, ///< Cannot write. The file must exist.
  memory, ///< A private database that ends with the connection; the path is ignored.
};

/// Opens one connection. Fails with `errc::storage_broken` (the message names the file) when the
/// file is damaged or is no database, and with `storage_refused` when it cannot be opened.
caf::expected<std::unique_ptr<database>> open_sqlite(const std::filesystem::path& file,
                                                     sqlite_mode mode);

/// Opens one connection to the database in memory that is called `name`: the connections of this
/// process share it, and it ends with the last of them. The writer comes first. Writing and reading
/// exclude each other, for the time of a transaction; at most 1 GiB, `errc::storage_full` past it.
caf::expected<std::unique_ptr<database>> open_sqlite_in_memory(const std::string& name,
                                                               sqlite_mode mode);

} // namespace trunkline
