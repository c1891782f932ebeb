/// What is sent for a row of the log: its body, or the activity rendered again from its object when
/// the body was emptied.
///
/// On a storage worker's thread.
#pragma once

#include "protocol/names.hpp"
#include "protocol/time.hpp"
#include "storage/delivery_store.hpp"

namespace trunkline {

/// Returns what is sent for row `seq`; its body is never null. What is rendered again has the id it
/// had, and says what the object is by now. Fails with `errc::not_found` and in words when the row
/// is gone, never had a body, or has none any more and its object is gone (a later row takes it
/// back). `now`: which polls have ended.
caf::expected<outgoing_activity> outgoing_of(database& db, log_seq seq, const url_space& urls,
                                             time_point now);

} // namespace trunkline
