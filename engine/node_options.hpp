/// What a node is made from: the configuration, and what the program around it wants to be told.
#pragma once

#include "engine/config.hpp"
#include "engine/embedding/node_extensions.hpp"
#include "engine/embedding/virtual_world.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace trunkline {

struct node_options {
  effective_config config;
  bool silent = false; ///< No log lines: for a node that lives for a moment.
  /// Whoever owns the node calls `look` a few times a second, from the start until it drains or
  /// ends: the watchdog, and the watch over the database's answers, need no threads of their own.
  bool owner_looks = false;

  std::shared_ptr<const node_extensions> extensions; ///< Null: the program's own node.
  std::shared_ptr<virtual_world> world;              ///< Null: real time, threads and sockets.

  /// Called every `heartbeat_interval` by an actor that went through the scheduler; empty: never.
  std::function<void()> heartbeat;
  std::chrono::microseconds heartbeat_interval{0};
};

} // namespace trunkline
