/// One value that another thread gives, and that a caller of the engine waits for.
#pragma once

#include "engine/embedding/virtual_world.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace trunkline {

/// Shared by both sides, so that a value which comes too late has somewhere to go.
template <class T>
class awaited {
public:
  /// The first value counts. Any thread.
  void give(T value) {
    const auto held = std::scoped_lock{mutex_};
    if (!value_)
      value_.emplace(std::move(value));
    given_.notify_all();
  }

  /// Waits for at most `limit`, of the world's time when there is one; nothing when that is over.
  std::optional<T> take(const std::shared_ptr<virtual_world>& world,
                        std::chrono::milliseconds limit) {
    if (world)
      world->run_until([this] { return is_given(); }, limit);
    auto held = std::unique_lock{mutex_};
    if (!world)
      given_.wait_for(held, limit, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

private:
  bool is_given() {
    const auto held = std::scoped_lock{mutex_};
    return value_.has_value();
  }

  std::mutex mutex_; ///< Guards what follows.
  std::condition_variable given_;
  std::optional<T> value_;
};

} // namespace trunkline
