#include "api/rate_limiter.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace trunkline {

namespace {

/// The caller whose count newcomers share when the table is full.
const auto everybody_else = std::string{"*"};

} // namespace

rate_standing rate_limiter::standing(const window& current) const {
  return {.limit = limit_.requests,
          .remaining = std::max<std::int64_t>(limit_.requests - current.used, 0),
          .reset = current.ends,
          .exceeded = current.used > limit_.requests};
}

rate_limiter::window& rate_limiter::window_of(const std::string& key, time_point now) {
  if (windows_.size() >= limit_.callers_max && !windows_.contains(key))
    std::erase_if(windows_, [&](const auto& entry) { return entry.second.ends <= now; });
  const auto full = windows_.size() >= limit_.callers_max && !windows_.contains(key);
  auto& current = windows_[full ? everybody_else : key];
  if (current.ends <= now)
    current = {.ends = now + limit_.window};
  return current;
}

rate_standing rate_limiter::count(const std::string& key, time_point now) {
  const auto guard = std::lock_guard{mutex_};
  auto& current = window_of(key, now);
  current.used = std::min(current.used + 1, limit_.requests + 1);
  return standing(current);
}

rate_standing rate_limiter::look(const std::string& key, time_point now) const {
  const auto guard = std::lock_guard{mutex_};
  const auto found = windows_.find(key);
  if (found == windows_.end() || found->second.ends <= now)
    return standing({.ends = now + limit_.window});
  return standing(found->second);
}

std::size_t rate_limiter::callers() const {
  const auto guard = std::lock_guard{mutex_};
  return windows_.size();
}

std::string address_bucket(const std::string& peer) {
  auto bytes = std::array<unsigned char, 16>{};
  if (inet_pton(AF_INET6, peer.c_str(), bytes.data()) != 1)
    return peer;
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  auto text = std::array<char, INET6_ADDRSTRLEN>{};
  return inet_ntop(AF_INET6, bytes.data(), text.data(), text.size()) ? text.data() : peer;
}

} // namespace trunkline
