/// Remote hosts as delivery sees them: where they are, how they do, and what waits for them.
#pragma once

#include "protocol/host_address.hpp"
#include "protocol/host_facts.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// Returns the row of the host at `address`; nothing when it has none.
caf::expected<std::optional<host_facts>> find_host(database& db, const host_address& address);

/// Writes what `facts` say, but for `paused`. Writes nothing when the host has no row.
caf::error save_host(database& db, const host_facts& facts);

/// Pauses or resumes the host at `address`. Fails with `errc::not_found` when it has no row.
caf::error set_paused(database& db, const host_address& address, bool paused);

/// A host for which something waits, as it is found at a start.
struct waiting_host {
  host_id id;
  host_address address;
  std::optional<time_point> next_try_at; ///< Of the host, or of its first exception.
};

/// Returns the hosts that have a row of backlog or an exception that waits, by id.
caf::expected<std::vector<waiting_host>> waiting_hosts(database& db);

/// A host as the admin API lists it.
struct host_summary {
  host_address address;
  host_facts facts;
  std::int64_t waiting = 0; ///< Units, as counted by the last checkpoint that wrote them.
  std::optional<time_point> oldest_at;
  std::int64_t exceptions = 0;
  std::int64_t dead = 0;
};

/// Returns at most `limit` hosts after the id `after`, by id.
caf::expected<std::vector<host_summary>> list_hosts(database& db, host_id after, std::size_t limit);

} // namespace trunkline
