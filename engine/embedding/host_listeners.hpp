/// Who is told of what other servers do, besides the log.
#pragma once

#include "trunkline/events.hpp"

#include <functional>

namespace trunkline {

/// Both may be empty. Called by the actors of hosts; must not block.
struct host_listeners {
  std::function<void(const delivery_event&)> on_delivery;
  std::function<void(const host_state_event&)> on_state;
};

} // namespace trunkline
