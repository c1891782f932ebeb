/// Opens the database that the configuration names, and the node's key.
#pragma once

#include "actors/id_source.hpp"
#include "engine/settings.hpp"
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
  std::int64_t incarnation = 0; ///< Of this start; rises each time.
};

/// Opens SQLite in `storage.folder`, or the PostgreSQL of `storage.postgres_url_file`, and brings
/// the schema up to date, enters this node in it and reserves its ids. Blocks. Fails with what
/// storage says, or with `errc::config_invalid` when the file of the URL cannot be read.
caf::expected<node_databases> open_databases(const node_config& config, const wall_clock& clock);

/// Makes the key file (32 random bytes, mode 0600) when it is missing. Fails with
/// `errc::config_invalid` when it is too short, and with `errc::insecure` when others may read it.
caf::error prepare_secret_key(const std::string& file);

/// Returns the first 32 bytes of a key file that was prepared. Fails with `errc::config_invalid`.
caf::expected<std::string> read_secret_key(const std::string& file);

} // namespace trunkline
