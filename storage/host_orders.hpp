/// What operators order of a remote host, as it is stored, and what their orders reach.
#pragma once

#include "protocol/host_address.hpp"
#include "protocol/ids.hpp"
#include "protocol/object_key.hpp"
#include "protocol/time.hpp"
#include "storage/database.hpp"
#include "storage/delivery_store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace trunkline {

/// Pauses the host at `address`; until it is resumed `next_try_at` tells since when. A host that is
/// paused already stays so since then. Fails with `errc::not_found` when it has no row.
caf::error pause_host_row(database& db, const host_address& address, time_point now);

/// Resumes the host at `address`, that may be tried at once and takes everything again that is
/// written from now on. Returns where its last drain ended; nothing: it was never drained. Fails
/// with `errc::not_found` when it has no row.
caf::expected<std::optional<log_seq>> resume_host_row(database& db, const host_address& address);

/// Units up to `upto` are not sent, but for what takes something back.
caf::error set_flushed(database& db, host_id host, log_seq upto);

struct row_range {
  log_seq after = 0;
  std::optional<log_seq> upto; ///< Nothing: it has no end yet.
};
/// Units of rows in `range` are not sent; nothing: all are.
caf::error set_drained(database& db, host_id host, std::optional<row_range> range);

struct host_bounds {
  std::optional<std::int64_t> in_flight;
  std::optional<std::int64_t> per_s;
};
caf::error set_bounds(database& db, host_id host, const host_bounds& bounds);

/// Returns the dead letters of the host: those of `units`, or all; at most `limit` after `after`,
/// in order of their keys. One whose row of the log is gone has no author and no time; which are
/// taken back is told.
caf::expected<std::vector<stored_exception>> dead_letters(database& db, host_id host,
                                                          std::span<const unit_key> units,
                                                          unit_key after, std::size_t limit);

/// Returns what the host is owed of the newest row about `object` that it is owed anything of;
/// empty when there is none. Only what the log still has.
caf::expected<std::vector<delivery_unit>> newest_owed(database& db, host_id host,
                                                      const object_key& object);

/// Returns the first row of the log that is not older than `at`; nothing: there is none.
caf::expected<std::optional<log_seq>> first_row_since(database& db, time_point at);

} // namespace trunkline
