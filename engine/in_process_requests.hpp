/// The requests of no socket that have no answer yet: counted, so that a drain can wait for them.
///
/// Any thread may call the members.
#pragma once

#include "engine/embedding/virtual_world.hpp"
#include "net/http_types.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace trunkline {

class in_process_requests {
public:
  in_process_requests();

  /// Returns `reply`, counted until it is given; nothing once none is let in any more.
  std::optional<http_reply> begin(http_reply reply);

  /// Lets no other in, and waits until each is answered, for at most `limit`: of the world's time,
  /// when there is one. Returns whether each is.
  bool drain(std::chrono::milliseconds limit, const std::shared_ptr<virtual_world>& world);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace trunkline
