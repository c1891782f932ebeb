/// What a queue of deliveries hands out and asks for.
#pragma once

#include "protocol/delivery_unit.hpp"

#include <cstdint>

namespace trunkline {

/// A unit in memory, and what is known of its failures.
struct queued_unit {
  delivery_unit unit;
  std::uint64_t failed_sent = 0; ///< Number of its last request that failed; 0: none.
  std::int64_t own_failures = 0; ///< Requests that its host got whole and did not take.
  bool replaces_old = false;     ///< It may have replaced one at which the peer is still at work.
};

/// What to read from the log: units of the class from `from` to `upto`.
struct refill_wish {
  delivery_class cls = delivery_class::bulk;
  log_seq from = 0;
  log_seq upto = 0;
  std::uint32_t round = 0; ///< Its answer is void once `reopen` was called.
};

/// Tells whether units of this kind stand for earlier ones of their object.
bool replaces_others(log_kind kind);

/// Tells whether `older` need not be sent since `newer`, a later one to the same endpoint, will be.
bool is_superseded(const delivery_unit& older, const delivery_unit& newer);

} // namespace trunkline
