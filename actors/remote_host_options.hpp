/// What a host actor is made with.
#pragma once

#include "actors/blocked_domains.hpp"
#include "actors/delivery_bodies.hpp"
#include "actors/delivery_slots.hpp"
#include "actors/dispatcher_messages.hpp"
#include "actors/shard_region_messages.hpp"
#include "actors/signing_pool_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "net/http_exchange.hpp"
#include "protocol/delivery_queue.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/host_health.hpp"
#include "protocol/time.hpp"
#include "trunkline/events.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace trunkline {

struct remote_host_options {
  delivery_queue_limits queue;
  window_limits window;
  std::size_t fetches_max = 256;     ///< Fetches that wait; more are refused.
  std::size_t exceptions_max = 1000; ///< More suspend the host.
  std::size_t refill_units = 512;    ///< Read from the log at once.
  std::size_t errors_kept = 20;
  std::size_t asked_max = 64; ///< Who asks how it is before it has started; more are refused.
  std::chrono::seconds idle_after{120};
  std::chrono::seconds fetch_wait{15}; ///< A fetch that has not left by then has timed out.
  std::chrono::seconds sign_deadline{10};
  std::chrono::seconds adopt_deadline{15};
  std::chrono::seconds local_retry{1}; ///< After a failure of our own.
  std::chrono::seconds sign_of_life_interval{60};
};

/// An inbox that its host does not know: somebody should look its owner up again.
struct missing_inbox {
  delivery_endpoint endpoint;
  int status = 0;
};

/// What a host works with. `log` takes one line per change of state; it, and `on_missing`, may be
/// empty and must not block. The rest is there.
struct remote_host_dependencies {
  storage_handles storage;
  signing_handle signing;
  dispatcher_handle dispatcher;
  std::shared_ptr<http_sender> sender;
  std::shared_ptr<delivery_slots> slots;
  std::shared_ptr<delivery_bodies> bodies;
  wall_clock clock;
  host_passivator_handle region;
  std::shared_ptr<const blocked_domains> blocked; ///< Null: none is blocked.
  std::function<void(std::string)> log;
  std::function<void(missing_inbox)> on_missing;
  std::function<void(const delivery_event&)> on_delivery; ///< May be empty; must not block.
  std::function<void(const host_state_event&)> on_state;  ///< Likewise.
  std::uint64_t seed = 1;                                 ///< Of the spread of waits.
};

} // namespace trunkline
