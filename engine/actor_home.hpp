/// The actor system of a node: made before anything lives in it, and gone after everything.
#pragma once

#include "engine/node_options.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace trunkline {

class actor_home {
public:
  explicit actor_home(const node_options& options);

  /// Whoever holds a handle of one of its actors gives it up before.
  ~actor_home();
  actor_home(const actor_home&) = delete;
  actor_home& operator=(const actor_home&) = delete;

  caf::actor_system& system() { return *system_; }

  /// The virtual world that it lives in; null in the real one.
  const std::shared_ptr<virtual_world>& world() const { return world_; }

  /// Tells the actors to end, and waits until they did, for some seconds at most. Returns whether
  /// all of them did; `actors` is empty then.
  bool end(std::vector<caf::actor>& actors);

private:
  const std::shared_ptr<virtual_world> world_; ///< Null in the real one.
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

} // namespace trunkline
