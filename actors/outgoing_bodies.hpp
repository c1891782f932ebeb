/// What is sent for a row of the log: its body, or the activity rendered again from its object when
/// the body was emptied.
///
/// On a storage worker's thread.
#pragma once

#include "actors/delivery_bodies.hpp"
#include "actors/tasks.hpp"
#include "protocol/names.hpp"
#include "protocol/time.hpp"
#include "storage/delivery_store.hpp"

#include <memory>

namespace trunkline {

/// Returns what is sent for row `seq`; its body is never null. What is rendered again has the id it
/// had, and says what the object is by now. Fails with `errc::not_found` and in words when the row
/// is gone, never had a body, or has none any more and its object is gone (a later row takes it
/// back). `now`: which polls have ended.
caf::expected<outgoing_activity> outgoing_of(database& db, log_seq seq, const url_space& urls,
                                             time_point now);

/// Likewise, through the activities that were sent lately. Hosts that ask at once are told of what
/// the first of them read: no more read it from the log than there are readers.
query<delivery_body> ask_body(std::shared_ptr<delivery_bodies> bodies, log_seq seq, url_space urls,
                              time_point now);

} // namespace trunkline
