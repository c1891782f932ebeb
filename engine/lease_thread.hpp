/// The thread that keeps a node's lease, on a session of its own.
///
/// What it finds is published at once: in `membership`, by which everything that leaves the node is
/// gated, in `lease`, which is the right to serve besides, and in `status`. Any thread but its own
/// may call the members.
#pragma once

#include "actors/node_lease.hpp"
#include "storage/lease_keeper.hpp"
#include "storage/postgres_options.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace trunkline {

class lease_thread {
public:
  /// What is called on the thread; may not block.
  struct listeners {
    std::function<void(const lease_status&)> told; ///< After a change of the phase or the failure.
    std::function<void(const cluster_view&)> seen; ///< After each step.
    lease_keeper::reporter report;                 ///< Before each renewal.
  };

  /// Fails as `open_postgres` does.
  static caf::expected<std::unique_ptr<lease_thread>> start(const std::string& url,
                                                            const postgres_options& sessions,
                                                            join_wish wish, listeners heard_by);

  /// Calls `leave`.
  ~lease_thread();

  /// The right to answer clients: the node owns the account shards.
  node_lease_ptr lease() const { return lease_; }
  /// The right to act for the host shards that the node owns.
  node_lease_ptr membership() const { return membership_; }
  lease_status status() const;

  /// Waits until the node may serve, `leave` is called, or it cannot serve any more. Returns
  /// whether it may serve.
  bool wait_for_turn(std::chrono::milliseconds limit);

  /// Likewise, until the node is in the cluster. Returns whether it is.
  bool wait_for_membership(std::chrono::milliseconds limit);

  /// The node works as that incarnation from now on: a later one, which the thread joins as once
  /// the node was deposed, gives no right to what works.
  void work_as(std::int64_t incarnation);

  /// Renews early: another node is believed to have gone, or to have given shards away.
  void look();

  /// Ends the lease and tells the database, for a few seconds at most. Only the first call does.
  void leave();

private:
  lease_thread(std::unique_ptr<database> db, join_wish wish, listeners heard_by);
  void run();
  void wait_until(std::unique_lock<std::mutex>& held, boot_time end, boot_time next_look,
                  const std::function<bool()>& is_told);
  void publish();
  bool wait_for(std::chrono::milliseconds limit, bool (*holds)(const lease_status&));
  void hold_leases(boot_time until, bool serves);
  void end_leases();

  const std::shared_ptr<node_lease> lease_ = std::make_shared<node_lease>();
  const std::shared_ptr<node_lease> membership_ = std::make_shared<node_lease>();
  const std::unique_ptr<database> db_;
  const listeners listeners_;
  lease_keeper keeper_;      ///< The thread's alone.
  mutable std::mutex mutex_; ///< Guards what follows.
  std::condition_variable changed_;
  lease_status status_;
  bool leaves_ = false;
  bool looks_ = false;
  std::int64_t works_as_ = 0; ///< 0: nothing works yet.
  bool is_over_ = false;      ///< The thread does nothing any more.
  std::thread thread_;
};

} // namespace trunkline
