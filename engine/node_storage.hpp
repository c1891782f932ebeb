/// Opens the database that the configuration names, and the node's key.
#pragma once

#include "actors/id_source.hpp"
#include "engine/node_options.hpp"
#include "protocol/time.hpp"
#include "storage/database.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <memory>
#include <string>
#include <vector>

namespace trunkline {

/// One connection that writes and some that read.
struct node_databases {
  std::unique_ptr<database> writer;
  std::vector<std::unique_ptr<database>> readers;
  std::shared_ptr<id_source> ids;
  std::int64_t incarnation = 0;              ///< Of this start; rises each time.
  std::vector<std::string> missing_timeouts; ///< Statements to run, of `missing_role_timeouts`.
};

/// Returns the connection string in the file of `storage.postgres_url_file`. Fails with
/// `errc::config_invalid` when it cannot be read or is empty.
caf::expected<std::string> read_postgres_url(const std::string& file);

/// Tells whether the node keeps everything in memory: it has no folder, lock or files then.
bool lives_in_memory(const node_options& options);

/// Opens SQLite in `storage.folder`, or the PostgreSQL of `storage.postgres_url_file`, or what the
/// embedder gave in their place, and brings the schema up to date, enters this node in it and
/// reserves its ids. Blocks. Fails with what storage says, or with `errc::config_invalid` when the
/// file of the URL cannot be read, when the folder was moved away, and when a move into the
/// PostgreSQL is not complete.
caf::expected<node_databases> open_databases(const node_options& options, const wall_clock& clock);

/// Makes the key file (32 random bytes, mode 0600) when it is missing. Fails with
/// `errc::config_invalid` when it is too short, and with `errc::insecure` when others may read it.
caf::error prepare_secret_key(const std::string& file);

/// Returns the first 32 bytes of the key file, which was prepared, or a new key for a node that
/// lives in memory. Fails with `errc::config_invalid`.
caf::expected<std::string> secret_key_of(const node_options& options);

} // namespace trunkline
