/// Tells an outage of this node from that of others: then nobody else is to blame. It is out when
/// its network is, and while its lease is over.
///
/// Any thread.
#pragma once

#include "actors/node_lease.hpp"
#include "protocol/host_address.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_set>

namespace trunkline {

struct outage_limits {
  std::chrono::milliseconds silence{5'000}; ///< Without an answer from anywhere.
  std::size_t hosts_least = 20;             ///< Recently good ones that failed meanwhile,
  std::size_t domains_least = 20;           ///< of so many registrable domains.
};

class outage_guard {
public:
  using clock_point = std::chrono::steady_clock::time_point;

  explicit outage_guard(
      outage_limits limits = {},
      std::function<clock_point()> now = [] { return std::chrono::steady_clock::now(); },
      node_lease_ptr lease = nullptr);

  /// Some host has given an HTTP answer, of whatever status.
  void note_success();

  /// A host gave no answer. `domain` is its registrable domain; `was_good_lately` tells whether it
  /// did well before: others say nothing about our network.
  void note_failure(const host_address& host, const std::string& domain, bool was_good_lately);

  /// Tells whether it is us: the lease is over, or nothing has been answered for `silence`, and
  /// enough hosts failed since. False again with the lease and the first answer.
  bool is_out() const;

private:
  const outage_limits limits_;
  const std::function<clock_point()> now_;
  const node_lease_ptr lease_;
  std::atomic<clock_point> answered_at_;    ///< The last time; at first when this was made.
  std::atomic<bool> failing_ = false;       ///< Somebody has failed since.
  std::atomic<bool> enough_ = false;        ///< So have as many as it takes.
  std::mutex mutex_;                        ///< Guards what follows.
  std::unordered_set<std::string> hosts_;   ///< At most `hosts_least`,
  std::unordered_set<std::string> domains_; ///< and `domains_least`.
};

} // namespace trunkline
