/// What a host actor and the books tell each other: how far the host is.
#pragma once

#include "protocol/delivery_unit.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace trunkline {

/// What a unit came to. A unit has one of these, once; but for `excepted` it is its last.
enum class unit_outcome : std::uint8_t {
  delivered, ///< 2xx.
  coalesced, ///< A later activity on its object made it superfluous; it was not sent.
  dead,      ///< Given up, with a reason.
  expired,   ///< Its row was older than the log is kept.
  cancelled, ///< Flushed, drained, revoked, blocked, or its account is gone.
  excepted,  ///< It waits in a row of its own from now on: still pending.
};

/// Sums of units: always offered = delivered + coalesced + dead + expired + cancelled + pending.
struct delivery_sums {
  std::int64_t offered = 0;
  std::int64_t delivered = 0;
  std::int64_t coalesced = 0;
  std::int64_t dead = 0;
  std::int64_t expired = 0;
  std::int64_t cancelled = 0;
  std::int64_t pending = 0; ///< Open ones, and exceptions that wait.

  /// Returns how many units came to an end.
  std::int64_t ended() const { return delivered + coalesced + dead + expired + cancelled; }
  /// Tells whether every unit is accounted for.
  bool are_balanced() const { return offered == ended() + pending; }
  delivery_sums& operator+=(const delivery_sums& more) { return add(more, 1); }
  delivery_sums& operator-=(const delivery_sums& less) { return add(less, -1); }
  friend bool operator==(const delivery_sums&, const delivery_sums&) = default;

private:
  delivery_sums& add(const delivery_sums& other, std::int64_t times) {
    offered += times * other.offered;
    delivered += times * other.delivered;
    coalesced += times * other.coalesced;
    dead += times * other.dead;
    expired += times * other.expired;
    cancelled += times * other.cancelled;
    pending += times * other.pending;
    return *this;
  }
};

/// Returns the sum that an outcome adds to; `excepted` is none and stays pending.
constexpr std::int64_t delivery_sums::*sum_of(unit_outcome outcome) {
  switch (outcome) {
  case unit_outcome::delivered:
    return &delivery_sums::delivered;
  case unit_outcome::coalesced:
    return &delivery_sums::coalesced;
  case unit_outcome::dead:
    return &delivery_sums::dead;
  case unit_outcome::expired:
    return &delivery_sums::expired;
  case unit_outcome::cancelled:
    return &delivery_sums::cancelled;
  case unit_outcome::excepted:
    break;
  }
  return &delivery_sums::pending;
}

/// How the sums of a host have changed, and how it stands.
struct host_change {
  host_id host;
  delivery_sums change; ///< But `pending`, which is what is pending.
  std::int64_t exceptions = 0;
  std::optional<time_point> oldest_at;
};

struct settled_unit {
  unit_key unit;
  unit_outcome outcome = unit_outcome::delivered;
};

/// What became of a unit that has a row of its own.
struct exception_change {
  host_id host;
  unit_key unit;
  std::optional<delivery_exception> row; ///< Nothing: it goes.
  std::optional<unit_outcome> outcome;   ///< When it waits no longer: what it came to.
  bool is_again = false;                 ///< A dead letter or a settled unit that waits again.
};

/// How far a host is in one class.
struct class_progress {
  delivery_class cls = delivery_class::bulk;
  std::vector<settled_unit> settled; ///< Since the last report; those in an exception included.
  log_seq received_upto = 0;         ///< Of what was offered.
  std::optional<log_seq> first_open; ///< Nothing before it is open; nothing: nothing received is.
  std::int64_t open = 0;             ///< Units, those in the log included.
  std::optional<time_point> oldest_at;
  log_seq gone_upto = 0; ///< Rows of the log up to here were gone when it was read for this host.
};

/// What an operator ordered to be sent again, in one class: units that were settled are open again.
struct reopened_units {
  delivery_class cls = delivery_class::bulk;
  log_seq from = 0;       ///< Every other unit from here on is open.
  std::int64_t units = 0; ///< That were settled before; they count as offered again.
  time_point oldest_at;
  std::vector<unit_key> excepted = {}; ///< From `from` on, in rows of their own: settled.
};

/// Units of some rows of the log that are settled already, by class.
struct settled_rows {
  std::vector<unit_key> direct;
  std::vector<unit_key> bulk;
};

/// What is open of a host in one class.
struct class_cursor {
  std::optional<log_seq> first_open; ///< Nothing: nothing offered is open.
  std::vector<unit_key> settled;     ///< From it on.
  log_seq offered_upto = 0;          ///< All that was owed up to here is settled, or open.
  std::int64_t open = 0;             ///< Units, as last counted.
  std::optional<time_point> oldest_at;
};

} // namespace trunkline
