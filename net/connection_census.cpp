#include "net/connection_census.hpp"

namespace trunkline {

bool connection_census::enter(const ip_bytes* peer) {
  const std::lock_guard lock{mutex_};
  if (open_ >= total_max_)
    return false;
  if (peer && per_peer_max_ > 0) {
    auto& of_peer = by_peer_[*peer];
    if (of_peer >= per_peer_max_)
      return false;
    ++of_peer;
  }
  ++open_;
  return true;
}

void connection_census::leave(const ip_bytes* peer) {
  const std::lock_guard lock{mutex_};
  if (peer && per_peer_max_ > 0) {
    const auto of_peer = by_peer_.find(*peer);
    if (of_peer != by_peer_.end() && --of_peer->second == 0)
      by_peer_.erase(of_peer);
  }
  if (--open_ == 0)
    emptied_.notify_all();
}

std::size_t connection_census::open() const {
  const std::lock_guard lock{mutex_};
  return open_;
}

bool connection_census::wait_empty(std::chrono::nanoseconds limit) const {
  std::unique_lock lock{mutex_};
  return emptied_.wait_for(lock, limit, [this] { return open_ == 0; });
}

} // namespace trunkline
