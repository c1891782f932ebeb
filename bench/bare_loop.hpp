/// What the database alone can do: the rows of a post and of its log entry, written in batches by a
/// loop on the library itself, durable like ours, with nothing around it.
#pragma once

#include "bench/figures.hpp"

#include <filesystem>
#include <string>

namespace trunkline::bench {

/// Copies the schema of `like`, a migrated SQLite file, to the new file `file` and posts for
/// `span`, `batch` posts in each commit. Throws on any failure.
load_figures bare_sqlite(const std::filesystem::path& like, const std::filesystem::path& file,
                         std::size_t batch, std::chrono::seconds span);

/// The same on a migrated PostgreSQL database, with prepared statements.
load_figures bare_postgres(const std::string& connection_string, std::size_t batch,
                           std::chrono::seconds span);

} // namespace trunkline::bench
