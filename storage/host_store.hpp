/// Remote hosts as delivery sees them: where they are and how they do.
#pragma once

#include "protocol/host_address.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/shard.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace trunkline {

/// Returns the row of the host at `address`; nothing when it has none.
caf::expected<std::optional<host_facts>> find_host(database& db, const host_address& address);

/// Writes what `facts` say, but for `paused`. Writes nothing when the host has no row.
caf::error save_host(database& db, const host_facts& facts);

/// Pauses or resumes the host at `address`. Fails with `errc::not_found` when it has no row.
caf::error set_paused(database& db, const host_address& address, bool paused);

/// The host at `address` may be tried at once. Changes nothing when it has no row.
caf::error clear_next_try(database& db, const host_address& address);

/// A host for which something waits, as it is found at a start.
struct waiting_host {
  host_id id;
  host_address address;
  std::optional<time_point> next_try_at; ///< Of the host, or of its first exception.
  std::int64_t exceptions = 0;           ///< That wait.
  bool is_held = false;                  ///< Nothing but probes is sent to it, or nothing at all.
};

/// Returns those hosts in `wanted` that have a row of backlog or an exception that waits, by id.
caf::expected<std::vector<waiting_host>> waiting_hosts(database& db,
                                                       const shard_set& wanted = all_shards());

/// A host as an operator's list begins with it.
struct listed_host {
  host_address address;
  host_facts facts;
  std::int64_t dead_letters = 0;
};

/// Returns at most `limit` hosts after `after`, by id.
caf::expected<std::vector<listed_host>> read_hosts(database& db, host_id after, std::size_t limit);

/// A host that takes nothing new.
struct drained_host {
  host_id id;
  std::uint8_t shard = 0;
  log_seq after = 0;
};
/// Returns those in `wanted`.
caf::expected<std::vector<drained_host>> drained_hosts(database& db,
                                                       const shard_set& wanted = all_shards());

} // namespace trunkline
