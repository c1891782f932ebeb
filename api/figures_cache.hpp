/// Counts of the whole server, kept for a while: they are counted from tables, and anybody may ask.
#pragma once

#include "protocol/time.hpp"
#include "protocol/views.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

namespace trunkline {

/// Any thread.
class figures_cache {
public:
  explicit figures_cache(std::chrono::seconds age_max) : age_max_{age_max} {}

  /// Returns what was stored less than the age ago.
  std::optional<server_view> find(time_point now) const {
    const auto guard = std::lock_guard{mutex_};
    return stored_ && now - stored_at_ < age_max_ ? stored_ : std::nullopt;
  }

  void store(server_view view, time_point now) {
    const auto guard = std::lock_guard{mutex_};
    stored_ = std::move(view);
    stored_at_ = now;
  }

private:
  const std::chrono::seconds age_max_;
  mutable std::mutex mutex_;
  std::optional<server_view> stored_;
  time_point stored_at_;
};

} // namespace trunkline
