/// Messages and handle of the dispatcher: the node's one reader of the log for delivery, and the
/// keeper of its books.
#pragma once

#include "protocol/delivery_progress.hpp"
#include "protocol/host_address.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/ids.hpp"
#include "protocol/log_entry.hpp"
#include "protocol/shard.hpp"
#include "protocol/time.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace trunkline {

/// Rows of the log from the fan-out: a hint. What is lost or not taken is read from the log.
struct dispatch_rows {
  log_seq previous = 0; ///< Everything up to here was in an earlier message.
  log_seq upto = 0;
  std::vector<log_entry> rows; ///< Those that have remote recipients.
};

/// A host tells what it has settled. Written down by the next checkpoint.
struct host_progress {
  host_address host;
  host_id id;
  std::vector<class_progress> classes; ///< Those that changed.
  std::vector<exception_change> exceptions;
  std::vector<reopened_units> reopened; ///< Comes before what `classes` say.
  std::int64_t exceptions_waiting = 0;
  std::optional<std::int64_t> dead_letters; ///< That are kept, when the host knows.
  std::optional<host_facts> facts;          ///< When state or next try changed.
};

/// A host that starts asks where it stands. Answered when everything that an earlier life of it has
/// told is in the database. Fails with `errc::unavailable` when its shard is not here, or leaves.
struct adopt_host {
  host_address host;
};

/// What is open of a host.
struct host_cursor {
  class_cursor direct;
  class_cursor bulk;
  log_seq earlier_upto = 0; ///< Rows up to here an earlier process may have sent.
};

/// Asks which of some units are open: neither settled nor an exception.
struct ask_open_units {
  struct question {
    host_id host;
    delivery_class cls = delivery_class::bulk;
    unit_key unit;
    host_address address = {}; ///< Of the host. What is owed to hosts elsewhere is not open here.
  };
  std::vector<question> units;
};
struct open_units {
  std::vector<bool> open; ///< In the order of the questions.
};

/// Writes the books now; done when the database has them. For a shutdown.
struct flush_books {};

/// Asks the dispatcher how it is.
struct describe_dispatcher {};

struct dispatcher_report {
  log_seq dispatched = 0;   ///< Every row up to here was handed to its hosts, but for new shards.
  std::int64_t rows = 0;    ///< With remote recipients.
  std::int64_t units = 0;   ///< Offered.
  std::int64_t dropped = 0; ///< Rows not taken from hints; they are read from the log.
  std::int64_t failed = 0;  ///< Reads and checkpoints.
  std::int64_t checkpoints = 0;  ///< Committed.
  std::int64_t rows_written = 0; ///< By checkpoints.
  std::int64_t outstanding = 0;  ///< Offers that hosts have not taken yet.
  std::int64_t hosts_open = 0;   ///< Hosts with something not settled.
  std::int64_t hosts_behind = 0; ///< Hosts with a row of backlog.
  delivery_sums sums;            ///< Of all hosts of its shards, kept across restarts.
  std::int64_t shards = 0;       ///< Of hosts, that are offered what is new.
  std::int64_t mailbox = 0;
};

/// The shards of hosts that the database says are this node's. What is new is loaded, and offered
/// what is open; what is missing changes nothing.
struct own_host_shards {
  shard_set shards;
};

/// Asks to let go of shards. Done when the actors of their hosts are gone and all that they told is
/// in the database: then, and not before, the owner may change there. They are forgotten by then:
/// an `own_host_shards` that names one loads it anew, so that none may name it from this message on
/// until it was read, after the answer, that the owner has not changed. Fails with
/// `errc::timed_out` when an actor takes longer than `stop_max`: this node goes on with them; and
/// with `errc::unavailable` while some of them are given up already.
struct give_up_host_shards {
  shard_set shards;
};

/// Asks to begin: everything that it works with is there.
struct begin_delivery {};

/// INTERNAL: writes what changed, and wakes hosts; once a second. An early one only writes.
struct checkpoint_due {
  bool is_early = false;
};

using dispatcher_handle =
    caf::typed_actor<caf::reacts_to<begin_delivery>, caf::reacts_to<dispatch_rows>,
                     caf::reacts_to<host_progress>, caf::replies_to<adopt_host>::with<host_cursor>,
                     caf::replies_to<ask_open_units>::with<open_units>,
                     caf::replies_to<flush_books>::with<void>, caf::reacts_to<own_host_shards>,
                     caf::replies_to<give_up_host_shards>::with<void>,
                     caf::replies_to<describe_dispatcher>::with<dispatcher_report>,
                     // INTERNAL
                     caf::reacts_to<checkpoint_due>>;

} // namespace trunkline
