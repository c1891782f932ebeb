/// Messages and handle of the log reader: the node's one reader of the log's tail.
#pragma once

#include "protocol/log_entry.hpp"
#include "storage/delivery_store.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <vector>

namespace trunkline {

/// Says that rows were committed: a hint, which may be lost, late or doubled. The log is truth.
struct log_hint {
  log_seq previous = 0;        ///< The row before `rows`; lower than the reader's own: a hole.
  std::vector<log_entry> rows; ///< In order of `seq`, without gaps.
};

/// Another node has committed rows, up to this one: a hint as well, without the rows.
struct log_has_grown {
  log_seq upto = 0;
};

/// Asks the log reader how far it is.
struct describe_log {};

struct log_report {
  log_seq handed_on = 0;    ///< To the fan-out.
  std::int64_t hints = 0;   ///< Rows that came as hints.
  std::int64_t read = 0;    ///< Rows read from the log: holes and polls.
  std::int64_t holes = 0;   ///< Between hints.
  std::int64_t dropped = 0; ///< Rows of hints not kept: too many behind a hole, or not applied.
  std::int64_t failed = 0;  ///< Reads of the log.
  std::int64_t refills = 0; ///< Reads for hosts that fell behind.
  std::int64_t refills_waiting = 0;
  std::int64_t refills_refused = 0; ///< Too many waited.
  std::int64_t mailbox = 0;
};

/// A host that fell behind reads its units from the log again. The reader does a few of these at a
/// time, one host after the other, so that those who return together do not hold up the node's
/// other reads.
struct read_missed {
  missed_units wanted;
};

/// INTERNAL: the poll.
struct poll_log {};

/// INTERNAL: the wait at a hole is over.
struct close_hole {
  std::uint64_t epoch = 0;
};

using log_reader_handle =
    caf::typed_actor<caf::reacts_to<log_hint>, caf::reacts_to<log_has_grown>,
                     caf::replies_to<describe_log>::with<log_report>,
                     // Fails with what storage says, or `unavailable`: too many wait.
                     caf::replies_to<read_missed>::with<found_units>,
                     // INTERNAL
                     caf::reacts_to<poll_log>, caf::reacts_to<close_hole>>;

} // namespace trunkline
