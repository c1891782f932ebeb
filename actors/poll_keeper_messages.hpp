/// Handle of the poll keeper, which tells other servers how polls of ours stand.
#pragma once

#include "actors/housekeeper_messages.hpp"

namespace trunkline {

/// INTERNAL: `keep_house`, time for the next round.
using poll_keeper_handle = caf::typed_actor<caf::reacts_to<keep_house>>;

} // namespace trunkline
