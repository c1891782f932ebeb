/// Messages and handle of a remote-host actor: one per origin that this node delivers to or fetches
/// from.
///
/// Callers send these to the host region, which finds or starts the actor of `host`.
#pragma once

#include "actors/delivery_budget.hpp"
#include "actors/remote_host_orders.hpp"
#include "actors/shard_region_messages.hpp"
#include "net/http_exchange.hpp"
#include "net/http_types.hpp"
#include "protocol/delivery_progress.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/host_address.hpp"
#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <caf/error.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// Units of one host, in order of `seq`: a hint. What does not fit, and what an earlier message
/// held that did not come, is read from the log later.
struct offer_units {
  host_address host;
  host_id id;
  offered_before previous{};
  std::vector<delivery_unit> units;
  settled_rows settled; ///< Of these rows, before a restart.
};

/// Asks for a document of this host, under its budget: at most half of its window.
struct fetch_document {
  host_address host;
  std::string url;
  std::string accept;                  ///< The Accept header.
  std::size_t bytes_max = 1024 * 1024; ///< Of the body.
  bool is_signed = true;               ///< By the instance actor.
};

/// An answer of any status, but for one that asks to wait; redirects are the caller's to follow.
struct fetched_document {
  int status = 0;
  http_headers headers;
  std::string body;
};

/// A request signed by this host has arrived: it may be back. Triggers a probe at most once a
/// minute, and never counts as a success.
struct note_sign_of_life {
  host_address host;
};

struct pause_host {
  host_address host;
};
struct resume_host {
  host_address host;
};
/// Tries at once, whatever the back-off says.
struct retry_host {
  host_address host;
};

/// Asks a host actor how it is; answered while everything else waits.
struct describe_host {
  host_address host;
};

struct host_error {
  time_point at;
  int status = 0; ///< 0: no answer.
  std::string text;
};

struct host_report {
  host_address host;
  std::string state; ///< The words of `host_state`.
  bool paused = false;
  bool behind = false;                 ///< More waits in the log than is kept in memory.
  std::int64_t waiting = 0;            ///< Units not settled, those in the log included.
  std::optional<time_point> oldest_at; ///< Of what waits.
  std::int64_t window = 0;
  std::int64_t in_flight = 0; ///< Deliveries and fetches.
  std::int64_t exceptions = 0;
  std::int64_t dead = 0;      ///< Dead letters.
  std::int64_t delivered = 0; ///< Since the actor started.
  std::int64_t failed = 0;    ///< Since the actor started.
  std::int64_t fetched = 0;   ///< Since the actor started.
  std::optional<time_point> next_try_at;
  std::string next_try_reason; ///< "back-off after 4 failures: connection refused"; "" for none.
  std::optional<time_point> fetch_not_before; ///< The host asked for it.
  std::optional<time_point> last_ok_at;
  std::vector<host_error> last_errors; ///< The newest first, at most 20.
  std::int64_t mailbox = 0;
};

/// Starts the actor of a host for which something waits; it looks itself for what there is.
struct wake_host {
  host_address host;
};

/// What a host's timer is for.
enum class host_alarm : std::uint8_t {
  wake, ///< A next try, a wait between two failures, or idleness.
  slow, ///< Requests that may have become slow.
  tell, ///< What the dispatcher has not been told yet.
};

/// INTERNAL: the host's timers, one of each kind at a time.
struct host_timer {
  std::uint64_t epoch = 0; ///< Of `wake`: others are void.
  host_alarm alarm = host_alarm::wake;
};

/// INTERNAL: a request has ended; from a thread of the HTTP client or of the signing pool.
struct exchange_ended {
  std::uint64_t exchange = 0; ///< Which one.
  exchange_outcome outcome;
  caf::error unsent; ///< There is no signature: nothing was sent.
};

/// INTERNAL: the node has room for one more request of this host.
struct place_granted {
  budget_kind kind = budget_kind::healthy; ///< As it was asked for.
  budget_place place;
};

using remote_host_handle = caf::typed_actor<
    // Done once the units are kept or counted.
    caf::replies_to<offer_units>::with<void>, caf::reacts_to<wake_host>,
    caf::reacts_to<note_sign_of_life>,
    // Fails with `unavailable` (suspended, paused, too many fetches wait, or the host asked to
    // wait: `until_of` says how long), `timed_out`, or `not_found` when the name does not exist.
    caf::replies_to<fetch_document>::with<fetched_document>,
    // Each answers once the change is in the database.
    caf::replies_to<pause_host>::with<void>, caf::replies_to<resume_host>::with<void>,
    caf::replies_to<retry_host>::with<void>, caf::replies_to<describe_host>::with<host_report>,
    // Fails with `invalid` (a wish that cannot be), `not_found` (the host has no row, nothing of
    // it was owed to the host) or `unavailable`. Answers once what it ordered is in the database.
    caf::replies_to<operate_host>::with<operated_host>,
    caf::replies_to<list_queue>::with<host_queue>,
    // INTERNAL
    caf::reacts_to<host_timer>, caf::reacts_to<exchange_ended>, caf::reacts_to<place_granted>>;

template <>
struct region_key_of<remote_host_handle> {
  using type = host_address;
};

} // namespace trunkline
