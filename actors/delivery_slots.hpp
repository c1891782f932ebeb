/// The requests that a node may have under way to all hosts together.
///
/// Who gets no place waits in line: a place that becomes free goes to whoever waits longest. Any
/// thread.
#pragma once

#include "actors/ticket.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace trunkline {

class delivery_slots {
public:
  /// Called with a place, on the thread of whoever gave it back; must not block.
  using waker = std::function<void(ticket)>;

  explicit delivery_slots(std::int64_t limit = 1'024);

  /// Returns a place; null when all are taken or others wait: `wake` is then called once there is
  /// one.
  ticket take(waker wake);

  std::int64_t in_use() const;
  std::int64_t waiting() const;

private:
  struct state;
  static ticket make_ticket(const std::shared_ptr<state>& shared);
  static void give_back(const std::shared_ptr<state>& shared);

  std::shared_ptr<state> state_;
};

} // namespace trunkline
