/// Messages and handle of an inbox lane: what one host has sent, applied in the order of arrival.
///
/// A lane is the reader of `inbox_log` for its host: messages to it are hints, the table is truth.
#pragma once

#include "actors/shard_region_messages.hpp"
#include "protocol/host_address.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <string>

namespace trunkline {

/// Something of this host has arrived, or waits since before the start.
struct wake_inbox {
  host_address host;
};

/// Asks a lane how it is.
struct describe_inbox {
  host_address host;
};

struct inbox_report {
  std::int64_t applied = 0;  ///< Since the lane's start.
  std::int64_t given_up = 0; ///< Likewise; they failed again and again.
  std::int64_t failures = 0; ///< In a row, of the arrival at the head.
  std::string last_error;    ///< "" when there was none.
};

/// INTERNAL: a next try, or idleness.
struct inbox_timer {
  std::uint64_t epoch = 0;
};

using inbox_lane_handle = caf::typed_actor<caf::reacts_to<wake_inbox>,
                                           caf::replies_to<describe_inbox>::with<inbox_report>,
                                           // INTERNAL
                                           caf::reacts_to<inbox_timer>>;

template <>
struct region_key_of<inbox_lane_handle> {
  using type = host_address;
};

/// INTERNAL: the waker looks for hosts with open arrivals: at the start, and once a minute.
struct wake_inboxes {};

using inbox_waker_handle = caf::typed_actor<caf::reacts_to<wake_inboxes>>;

} // namespace trunkline
