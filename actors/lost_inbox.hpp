/// What is done about an inbox that its host does not know any more (404 or 410 to a delivery): its
/// owner is fetched again, so that a new inbox is found, and who is gone is forgotten after the
/// second 410, a day later.
#pragma once

#include "actors/remote_host_options.hpp"
#include "actors/resolver_messages.hpp"
#include "actors/storage_worker_messages.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace trunkline {

/// Any thread. The resolver is made after the hosts that report inboxes, and let go of before them.
class lost_inboxes : public std::enable_shared_from_this<lost_inboxes> {
public:
  /// Look-ups under way at once; others are left to the next delivery's 410.
  static constexpr std::int64_t lookups_max = 64;

  lost_inboxes(caf::actor_system& system, storage_handles storage)
      : system_{system}, storage_{std::move(storage)} {}

  /// Null: nothing is looked up any more.
  void set_resolver(resolver_handle resolver);

  /// Does not block.
  void report(const missing_inbox& lost);

private:
  resolver_handle resolver() const;

  caf::actor_system& system_;
  const storage_handles storage_;
  mutable std::mutex guard_; ///< Of `resolver_`.
  resolver_handle resolver_;
  std::atomic<std::int64_t> open_ = 0;
};

} // namespace trunkline
