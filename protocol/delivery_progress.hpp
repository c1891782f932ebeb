/// What a host actor and the books tell each other: how far the host is.
#pragma once

#include "protocol/delivery_unit.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace trunkline {

/// What became of a unit that has a row of its own.
struct exception_change {
  host_id host;
  unit_key unit;
  std::optional<delivery_exception> row; ///< Nothing: it goes.
};

/// How far a host is in one class.
struct class_progress {
  delivery_class cls = delivery_class::bulk;
  std::vector<unit_key> settled;     ///< Since the last report; those in an exception included.
  log_seq received_upto = 0;         ///< Of what was offered.
  std::optional<log_seq> first_open; ///< Nothing before it is open; nothing: nothing received is.
  std::int64_t open = 0;             ///< Units, those in the log included.
  std::optional<time_point> oldest_at;
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
