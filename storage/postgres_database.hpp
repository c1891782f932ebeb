/// PostgreSQL behind the seam, on libpqxx.
///
/// A lost connection is `errc::unavailable`; the next statement outside of a transaction connects
/// anew. Nothing is set per session: timeouts belong on the role (`role_timeouts`), so that a
/// pooler in transaction mode keeps them. A server with `fsync=off`, `synchronous_commit` off or
/// local, or another encoding than UTF-8 is refused at every connect (`storage_refused`, naming
/// setting and server).
#pragma once

#include "storage/database.hpp"
#include "storage/postgres_options.hpp"

#include <memory>
#include <string_view>

namespace trunkline {

/// Connects by libpq's connection string, key=value or URL; what it does not say about timeouts is
/// added. Fails with `errc::unavailable` or `storage_refused`: also when the server's clock is more
/// than 60 s from this machine's. The message never shows the string.
caf::expected<std::unique_ptr<database>> open_postgres(std::string_view connection_string,
                                                       const postgres_options& options = {});

} // namespace trunkline
