/// What the database alone can do: the rows of a post and of its log entry, written in batches by a
/// loop on the library itself, durable like ours, by as many authors (whose rows lie at as many
/// places of the indexes), with nothing around it.
#pragma once

#include "bench/figures.hpp"

#include <filesystem>
#include <string>

namespace trunkline::bench {

struct bare_load {
  std::size_t batch = 1;   ///< Posts in each commit.
  std::size_t authors = 1; ///< They post in turn.
  std::chrono::seconds span{1};
};

/// Copies the schema of `like`, a migrated SQLite file, to the new file `file` and posts. Throws on
/// any failure.
load_figures bare_sqlite(const std::filesystem::path& like, const std::filesystem::path& file,
                         const bare_load& load);

/// The same on a migrated PostgreSQL database, with prepared statements.
load_figures bare_postgres(const std::string& connection_string, const bare_load& load);

} // namespace trunkline::bench
