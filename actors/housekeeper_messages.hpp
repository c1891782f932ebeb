/// Message and handle of the housekeeper, which removes what has been kept long enough.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace trunkline {

/// INTERNAL: time for the next round.
struct keep_house {};

using housekeeper_handle = caf::typed_actor<caf::reacts_to<keep_house>>;

} // namespace trunkline
