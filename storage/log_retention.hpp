/// How long the log is kept: its rows, and of their bodies as many as fit.
///
/// Bodies that can be rendered again from their object go after a few days, or earlier when all of
/// them take more room than they may; the others, which are small, go with their rows, or when
/// there is no more room. How much room bodies take is a figure that is kept with the log: each
/// body is looked at once when it is counted and once when it goes.
#pragma once

#include "storage/database.hpp"

#include <cstddef>
#include <cstdint>

namespace trunkline {

struct log_retention {
  time_point rows_before;     ///< Rows from before go, but for the newest row of the log.
  time_point bodies_before;   ///< Likewise bodies that can be rendered again.
  std::int64_t bytes_max = 0; ///< Of all bodies.
  std::size_t rows_max = 0;   ///< Removed, emptied and counted by one call, of each.
};

struct log_purge {
  std::int64_t rows = 0;    ///< Removed.
  std::int64_t bodies = 0;  ///< Emptied.
  std::int64_t counted = 0; ///< Rows whose bodies were counted.
  std::int64_t bytes = 0;   ///< Of the bodies that are left, as far as they were counted.
};

/// Does one round's share. Call it in a transaction. With the rows go their `log_extra` and their
/// dead letters; an exception that waits is left to its host, which counts it as expired.
caf::expected<log_purge> purge_log(database& db, const log_retention& wish);

} // namespace trunkline
