/// The host mover: of a cluster's node, takes up the shards of hosts that the database gives it,
/// and hands on those that belong elsewhere.
///
/// It acts on views of the database, which may be older than what it has done itself: a shard that
/// it has handed on is its own again only when a view says that it came back since. Each shard by
/// itself: the dispatcher lets go of it, which takes as long as the requests to its hosts that are
/// under way, then the writer changes its owner; so nothing of the old owner is under way when the
/// new one begins, and one slow host holds up no shard but its own.
#pragma once

#include "actors/dispatcher_messages.hpp"
#include "actors/host_mover_messages.hpp"
#include "actors/shard_routes.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/shard.hpp"
#include "storage/host_shards.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace trunkline {

struct host_mover_options {
  /// After a hand-over of which nobody knows whether it came to pass, its shards are nobody's here
  /// for so long: longer than a late commit can take.
  std::chrono::milliseconds doubt{10'000};
  std::chrono::milliseconds pause{2'000}; ///< After a hand-over that failed.
};

struct host_mover_dependencies {
  storage_handles storage;
  dispatcher_handle dispatcher;
  std::shared_ptr<shard_routes> routes; ///< Written here.
  write_fence node;                     ///< As what the node works.
  std::function<void()> on_moved; ///< Shards of this node's have another owner. Must not block.
};

class host_mover_state {
public:
  explicit host_mover_state(host_mover_handle::pointer self) : self_{self} {}

  host_mover_handle::behavior_type make_behavior(host_mover_dependencies dependencies,
                                                 host_mover_options options);

private:
  using clock_point = caf::actor_clock::time_point;
  using moves = std::vector<host_shard_move>;

  void take(const cluster_view& view);
  void draw_routes(const cluster_view& view) const;
  shard_set own(const cluster_view& view) const;
  void begin(const moves& wanted);
  void let_go(const host_shard_move& move);
  void hand_on();
  void moved(const moves& wanted, const caf::expected<std::vector<std::uint8_t>>& done);
  void rest() { next_move_at_ = self_->clock().now() + options_.pause; }

  host_mover_handle::pointer self_;
  host_mover_dependencies has_;
  host_mover_options options_;
  std::array<shard_place, shard_count> places_{};    ///< As of the last view.
  std::array<time_point, shard_count> gone_since_{}; ///< `moved_at` of what it has handed on.
  std::array<clock_point, shard_count> doubted_until_{};
  shard_set leaving_; ///< The dispatcher lets go of them, or has, and the owner is not changed.
  moves ready_;       ///< Those that it has let go of.
  bool is_handing_ = false; ///< Some of them change their owner just now.
  clock_point next_move_at_;
};

host_mover_handle::behavior_type
host_mover(watched_pointer<host_mover_handle, host_mover_state> self,
           host_mover_dependencies dependencies, host_mover_options options);

} // namespace trunkline
