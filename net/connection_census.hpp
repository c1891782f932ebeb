/// Counts a server's open connections, in all and per client address, and refuses past the limits.
///
/// Shared by the threads of one server; every function may be called from any of them.
#pragma once

#include "net/trusted_proxies.hpp"

#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>

namespace trunkline {

class connection_census {
public:
  /// `per_peer_max` 0 sets no limit per address.
  connection_census(std::size_t total_max, std::size_t per_peer_max)
      : total_max_{total_max}, per_peer_max_{per_peer_max} {}

  /// Counts one connection of `peer` in, or returns false. A null `peer` counts in the total only.
  bool enter(const ip_bytes* peer);

  /// Counts out what `enter` counted in.
  void leave(const ip_bytes* peer);

  std::size_t open() const;

  /// Blocks until no connection is open or `limit` has passed; returns whether none is open.
  bool wait_empty(std::chrono::nanoseconds limit) const;

private:
  const std::size_t total_max_;
  const std::size_t per_peer_max_;
  mutable std::mutex mutex_;
  mutable std::condition_variable emptied_;
  std::size_t open_ = 0;
  std::map<ip_bytes, std::size_t> by_peer_;
};

} // namespace trunkline
