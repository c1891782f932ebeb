/// Pages of a home timeline, as questions to storage: from a ring and what lies below it, or from
/// storage alone.
#pragma once

#include "actors/tasks.hpp"
#include "actors/timeline_messages.hpp"
#include "protocol/home.hpp"
#include "protocol/time.hpp"

namespace trunkline {

/// Returns the page out of `ring`, and out of storage where the ring ends. Every post is looked at
/// and judged again, at the time `now`. Newest first; at most `page.limit` posts.
query<home_page> page_of_ring(home_snapshot ring, page_request page, time_point now);

/// Returns the page out of storage alone: right whatever the rings have missed, but dearer.
query<home_page> page_of_storage(account_id viewer, page_request page, time_point now);

/// Returns the home that a cold ring is filled with.
query<home_snapshot> rebuilt_home(account_id viewer, time_point now);

} // namespace trunkline
