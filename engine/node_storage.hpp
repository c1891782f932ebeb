/// Opens the database that the configuration names, and the node's key.
#pragma once

#include "actors/id_source.hpp"
#include "actors/node_lease.hpp"
#include "engine/node_options.hpp"
#include "protocol/time.hpp"
#include "storage/cluster_store.hpp"
#include "storage/database.hpp"
#include "storage/postgres_options.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// The right to write into a database that others share.
struct held_lease {
  joined_node node;
  node_lease_ptr membership; ///< Not null, as the next one.
  node_lease_ptr serving;
  postgres_options sessions; ///< How those of the node wait for the server.
};

/// One connection that writes and some that read.
struct node_databases {
  std::unique_ptr<database> writer;
  std::vector<std::unique_ptr<database>> readers;
  std::shared_ptr<id_source> ids;
  std::int64_t incarnation = 0;     ///< Of this start; rises each time.
  std::optional<write_fence> fence; ///< Of every batch; nothing on SQLite.
  node_lease_ptr membership;        ///< Null on SQLite, as the next one.
  node_lease_ptr serving;
};

/// Returns the connection string in the file of `storage.postgres_url_file`. Fails with
/// `errc::config_invalid` when it cannot be read or is empty.
caf::expected<std::string> read_postgres_url(const std::string& file);

/// Tells whether the node keeps everything in memory: it has no folder, lock or files then.
bool lives_in_memory(const node_options& options);

/// Returns the URL of the PostgreSQL that the configuration or the embedder names; "" for SQLite.
/// Fails with `errc::config_invalid` when its file cannot be read.
caf::expected<std::string> postgres_url_of(const node_options& options);

/// Brings the schema up to date, for as long as that takes, and returns what the role lacks: the
/// statements of `missing_role_timeouts`. Fails when a move into the PostgreSQL is not complete.
caf::expected<std::vector<std::string>> prepare_postgres(const std::string& url);

/// How the node's sessions wait for PostgreSQL. Their watch is to be looked after.
postgres_options serving_options();

/// Opens SQLite in `storage.folder`, or the PostgreSQL of `storage.postgres_url_file`, or what the
/// embedder gave in their place, and brings the schema up to date, enters this node in it, unless
/// it has joined with a lease, and reserves its ids. Blocks. Fails with what storage says, or with
/// `errc::config_invalid` when the file of the URL cannot be read, when the folder was moved away,
/// and when a move into the PostgreSQL is not complete.
caf::expected<node_databases> open_databases(const node_options& options, const wall_clock& clock,
                                             const std::optional<held_lease>& held = {});

/// Makes the key file (32 random bytes, mode 0600) when it is missing. Fails with
/// `errc::config_invalid` when it is too short, and with `errc::insecure` when others may read it.
caf::error prepare_secret_key(const std::string& file);

/// Fails with `errc::config_invalid` when the keys in `db` were not encrypted with `key`. Makes the
/// server's own key where there is none yet, so that the next one who asks finds one.
caf::error check_secret_key(database& db, const std::string& key);

/// Returns the first 32 bytes of the key file, which was prepared, or a new key for a node that
/// lives in memory. Fails with `errc::config_invalid`.
caf::expected<std::string> secret_key_of(const node_options& options);

} // namespace trunkline
