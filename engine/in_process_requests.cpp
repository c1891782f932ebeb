#include "engine/in_process_requests.hpp"

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

namespace trunkline {

/// Shared with the answers, which may come when the node is gone.
struct in_process_requests::state {
  bool begin() {
    const auto held = std::scoped_lock{mutex};
    count += closed ? 0 : 1;
    return !closed;
  }

  void end() {
    const auto held = std::scoped_lock{mutex};
    if (--count == 0)
      none_left.notify_all();
  }

  bool is_empty() {
    const auto held = std::scoped_lock{mutex};
    return count == 0;
  }

  std::mutex mutex; ///< Guards what follows.
  std::condition_variable none_left;
  std::size_t count = 0;
  bool closed = false;
};

in_process_requests::in_process_requests() : state_{std::make_shared<state>()} {}

std::optional<http_reply> in_process_requests::begin(http_reply reply) {
  if (!state_->begin())
    return std::nullopt;
  return http_reply{[inside = state_, reply = std::move(reply)](http_response response) {
    reply(std::move(response));
    inside->end();
  }};
}

bool in_process_requests::drain(std::chrono::milliseconds limit,
                                const std::shared_ptr<virtual_world>& world) {
  {
    const auto held = std::scoped_lock{state_->mutex};
    state_->closed = true;
  }
  if (world)
    return world->run_until([this] { return state_->is_empty(); }, limit);
  auto held = std::unique_lock{state_->mutex};
  return state_->none_left.wait_for(held, limit, [this] { return state_->count == 0; });
}

} // namespace trunkline
