/// Messages and handle of the host mover, which keeps the shards of hosts of a node where the
/// database says they are.
#pragma once

#include "storage/cluster_view.hpp"

#include <caf/typed_actor.hpp>

#include <memory>

namespace trunkline {

/// What the database has said.
struct cluster_seen {
  std::shared_ptr<const cluster_view> view; ///< Not null.
};

using host_mover_handle = caf::typed_actor<caf::reacts_to<cluster_seen>>;

} // namespace trunkline
