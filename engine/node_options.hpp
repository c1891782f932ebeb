/// What a node is made from: the configuration, and what the program around it wants to be told.
#pragma once

#include "engine/config.hpp"

#include <chrono>
#include <functional>

namespace trunkline {

struct node_options {
  effective_config config;
  bool silent = false; ///< No log lines: for a node that lives for a moment.

  /// Called every `heartbeat_interval` by an actor that went through the scheduler; empty: never.
  std::function<void()> heartbeat;
  std::chrono::microseconds heartbeat_interval{0};
};

} // namespace trunkline
