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

/// The host at `address` may be tried at once. Changes nothing when it has no row.
caf::error clear_next_try(database& db, const host_address& address);

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

/// In which order hosts are listed; hosts that are equal in it come by id.
enum class host_order : std::uint8_t {
  backlog,  ///< The most that waits first.
  oldest,   ///< What has waited longest first; hosts for which nothing waits last.
  failures, ///< The longest streak first.
  name,
};

/// Where a list of hosts goes on: after this host. Of `number` and `name` the order has one.
struct host_place {
  std::int64_t number = 0;
  std::string name;
  host_id id;
};

/// Returns the place of `host` in a list of that order.
host_place place_of(host_order order, const host_summary& host);

struct host_list_wish {
  host_order order = host_order::backlog;
  std::optional<host_state> state; ///< Only hosts in this state.
  bool only_paused = false;
  std::string part; ///< Only hosts whose name contains it; "" for all.
  std::optional<host_place> after;
  std::int64_t limit = 50;
};

caf::expected<std::vector<host_summary>> list_hosts(database& db, const host_list_wish& wish);

/// Returns the host at `address` as `list_hosts` does; nothing when it has no row.
caf::expected<std::optional<host_summary>> summary_of(database& db, const host_address& address);

} // namespace trunkline
