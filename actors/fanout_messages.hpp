/// Messages and handle of the fan-out: the node's one writer of rings and caches.
#pragma once

#include "protocol/home.hpp"
#include "protocol/log_entry.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace trunkline {

/// Rows of the log, each once and in order, from the log reader.
struct apply_rows {
  std::vector<log_entry> rows;
  log_seq upto = 0; ///< Everything up to here is in this message, an earlier one, or the database.
  /// A time at which the log held nothing after `upto`.
  std::optional<std::chrono::steady_clock::time_point> end_seen_at;
};

/// Asks to put a rebuilt home into a ring. Answers false when it is wrong by now: read it again.
struct install_home {
  home_snapshot home;
};

/// Answers when everything up to `seq` is applied; the caller brings the deadline.
struct await_applied {
  log_seq seq = 0;
};

/// Asks the fan-out how it is.
struct describe_fanout {};

struct fanout_report {
  log_seq received = 0;
  log_seq applied = 0;
  std::int64_t waiting_small = 0; ///< Fan-outs of one slice at most.
  std::int64_t waiting_large = 0;
  std::int64_t waiting_reads = 0; ///< Reads that wait for a row to be applied.
  std::int64_t refused_homes = 0; ///< Rebuilt homes that were wrong by the time they came.
  std::int64_t mailbox = 0;
};

/// INTERNAL: goes on where the last slice ended.
struct continue_fanout {};

/// INTERNAL: looks for rings that nobody reads, once an hour.
struct drop_unread_homes {};

using fanout_handle =
    caf::typed_actor<caf::reacts_to<apply_rows>, caf::replies_to<install_home>::with<bool>,
                     // Fails with `unavailable` when too many wait.
                     caf::replies_to<await_applied>::with<void>,
                     caf::replies_to<describe_fanout>::with<fanout_report>,
                     // INTERNAL
                     caf::reacts_to<continue_fanout>, caf::reacts_to<drop_unread_homes>>;

} // namespace trunkline
