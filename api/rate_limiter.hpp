/// Counts requests of each caller in windows of fixed length, shared by all gateways of a node.
///
/// Any thread. Holds at most `callers_max` callers: past that, those whose window ended are
/// forgotten, and when none did, newcomers share one count.
#pragma once

#include "protocol/time.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace trunkline {

struct rate_limit {
  std::int64_t requests = 300;
  std::chrono::seconds window = std::chrono::minutes{5};
  std::size_t callers_max = 100'000;
};

/// Where a caller stands after a request was counted.
struct rate_standing {
  std::int64_t limit = 0;
  std::int64_t remaining = 0; ///< 0 and `exceeded`: this request is over the limit.
  time_point reset;           ///< When the window ends.
  bool exceeded = false;
};

class rate_limiter {
public:
  explicit rate_limiter(rate_limit limit) : limit_{limit} {}

  /// Counts one request of `key`.
  rate_standing count(const std::string& key, time_point now);

  /// Tells where `key` stands without counting.
  rate_standing look(const std::string& key, time_point now) const;

  std::size_t callers() const;

private:
  struct window {
    time_point ends;
    std::int64_t used = 0;
  };

  rate_standing standing(const window& current) const;
  window& window_of(const std::string& key, time_point now);

  const rate_limit limit_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, window> windows_;
};

/// Returns the part of an address that one customer of a provider owns: an IPv4 address itself,
/// the first 64 bits of an IPv6 address, the text itself when it is neither.
std::string address_bucket(const std::string& peer);

} // namespace trunkline
