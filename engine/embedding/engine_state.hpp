/// INTERNAL to the engine: what an `engine` holds.
///
/// Members are destroyed before those above them: what stands on the node is declared below it.
#pragma once

#include "engine/node.hpp"
#include "engine/node_options.hpp"
#include "trunkline/engine.hpp"

#include <memory>
#include <utility>

namespace trunkline {

struct engine::state {
  /// Begins to start the node. Throws `std::system_error` when no thread can be started.
  explicit state(std::shared_ptr<const node_options> values) : inside{std::move(values)} {}

  node inside;
};

} // namespace trunkline
