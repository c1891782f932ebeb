/// What the dispatcher works with.
#pragma once

#include "actors/blocked_domains.hpp"
#include "actors/host_board.hpp"
#include "actors/remote_host_messages.hpp"
#include "actors/shard_places.hpp"
#include "actors/shard_region_messages.hpp"
#include "actors/storage_worker_messages.hpp"

#include <memory>

namespace trunkline {

class webhook_outbox;

/// Empty at first; all there when `begin_delivery` is sent.
struct dispatcher_dependencies {
  storage_handles storage;
  remote_host_handle hosts; ///< The region.
  wall_clock clock;
  std::shared_ptr<blocked_domains> blocked; ///< Read here for the hosts; null: none is blocked.
  /// What hosts say to webhooks, written with each checkpoint; null: none listens.
  std::shared_ptr<webhook_outbox> outbox;
  std::shared_ptr<host_board> board; ///< Is told what the books say of each host; null: nobody is.
  host_stopper_handle stopper = {};  ///< The region too; null: no host has an actor.
  std::shared_ptr<shard_places> places = {}; ///< Is told which shards are here; null: nobody is.
};

} // namespace trunkline
