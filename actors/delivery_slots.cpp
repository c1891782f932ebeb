#include "actors/delivery_slots.hpp"

#include <utility>

namespace trunkline {

struct delivery_slots::state {
  mutable std::mutex mutex;
  std::int64_t limit = 0;
  std::int64_t in_use = 0;
  std::deque<waker> line;
};

delivery_slots::delivery_slots(std::int64_t limit) : state_{std::make_shared<state>()} {
  state_->limit = limit;
}

ticket delivery_slots::make_ticket(const std::shared_ptr<state>& shared) {
  return ticket{shared.get(), [shared](const void*) { give_back(shared); }};
}

/// The place is handed on without becoming free, so that nobody overtakes the line.
void delivery_slots::give_back(const std::shared_ptr<state>& shared) {
  auto next = waker{};
  {
    const auto lock = std::lock_guard{shared->mutex};
    if (shared->line.empty()) {
      --shared->in_use;
      return;
    }
    next = std::move(shared->line.front());
    shared->line.pop_front();
  }
  next(make_ticket(shared));
}

ticket delivery_slots::take(waker wake) {
  {
    const auto lock = std::lock_guard{state_->mutex};
    if (state_->in_use >= state_->limit) {
      state_->line.push_back(std::move(wake));
      return nullptr;
    }
    ++state_->in_use;
  }
  return make_ticket(state_);
}

std::int64_t delivery_slots::in_use() const {
  const auto lock = std::lock_guard{state_->mutex};
  return state_->in_use;
}

std::int64_t delivery_slots::waiting() const {
  const auto lock = std::lock_guard{state_->mutex};
  return static_cast<std::int64_t>(state_->line.size());
}

} // namespace trunkline
