/// What actors that live in a shard region say to it.
#pragma once

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>

namespace trunkline {

/// Asks the region to stop an actor that has nothing to do; nothing sent to it meanwhile is lost.
struct passivate_actor {
  std::int64_t id = 0;           ///< The actor's own id.
  std::uint64_t incarnation = 0; ///< CAF's number of the actor that asks; 0: whichever runs.
};

/// A region, as the actors in it see it.
using passivator_handle = caf::typed_actor<caf::reacts_to<passivate_actor>>;

/// A region of actors behind `Handle`: it takes what they take.
template <class Handle>
using region_of = typename Handle::template extend<caf::reacts_to<passivate_actor>>;

} // namespace trunkline
