/// Message and handle of the id keeper, which keeps the reserve of ids ahead of the clock.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace trunkline {

/// INTERNAL: the keeper looks whether the reserve is still far enough ahead.
struct keep_ids {};

using id_keeper_handle = caf::typed_actor<caf::reacts_to<keep_ids>>;

} // namespace trunkline
