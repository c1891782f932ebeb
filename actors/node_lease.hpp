/// The right of a node to act for the accounts and hosts that it owns: it ends by itself when it is
/// not confirmed, also while the process is frozen.
///
/// Checked where something leaves the node: before a request of a client is let in, before a
/// batch, and before a request to another server. A freeze between the check and what follows lets
/// one of each thread through; the database refuses what writes (`write_fence`). Any thread.
#pragma once

#include "storage/boot_clock.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace trunkline {

class node_lease {
public:
  /// It is held until then; an earlier time than before counts as well.
  void hold_until(boot_time end) { until_ = end.time_since_epoch().count(); }

  /// It is over.
  void end() { until_ = 0; }

  bool is_held() const {
    return boot_clock::now().time_since_epoch().count() < until_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::int64_t> until_ = 0;
};

/// Null: a node that shares its database with nobody needs none.
using node_lease_ptr = std::shared_ptr<const node_lease>;

inline bool may_act(const node_lease_ptr& lease) {
  return !lease || lease->is_held();
}

} // namespace trunkline
