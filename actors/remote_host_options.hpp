/// What a host actor is made with.
#pragma once

#include "actors/blocked_domains.hpp"
#include "actors/delivery_bodies.hpp"
#include "actors/delivery_budget.hpp"
#include "actors/dispatcher_messages.hpp"
#include "actors/host_board.hpp"
#include "actors/log_reader_messages.hpp"
#include "actors/outage_guard.hpp"
#include "actors/shard_region_messages.hpp"
#include "actors/signing_pool_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "net/http_exchange.hpp"
#include "protocol/delivery_queue.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/host_health.hpp"
#include "protocol/names.hpp"
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
  std::size_t fetches_max = 256;       ///< Fetches that wait; more are refused.
  std::size_t exceptions_max = 1000;   ///< More suspend the host.
  std::size_t refill_units = 512;      ///< Read from the log at once.
  std::size_t counted_at_once = 2'000; ///< Likewise, for an operator.
  std::size_t errors_kept = 20;
  std::size_t asked_max = 64; ///< Who asks how it is before it has started; more are refused.
  std::chrono::seconds idle_after{120};
  /// Instead, when nobody asks for fetches that the host wants to wait; then its wait is forgotten.
  std::chrono::minutes idle_waiting{15};
  std::chrono::seconds fetch_wait{15}; ///< A fetch that has not left by then has timed out.
  std::chrono::seconds sign_deadline{10};
  std::chrono::seconds adopt_deadline{15};
  std::chrono::seconds refill_deadline{30};
  std::chrono::seconds flush_deadline{15}; ///< Of the books, after an order.
  std::chrono::seconds local_retry{1};     ///< After a failure of our own.
  std::chrono::seconds outage_retry{2};    ///< At least, while our own network is out.
  std::chrono::seconds sign_of_life_interval{60};
  std::chrono::seconds request_limit{15};     ///< Of a request that an earlier life may have sent.
  std::chrono::milliseconds slow_least{250};  ///< A request is slow after 4 times the host's mean,
  std::chrono::milliseconds slow_most{2'000}; ///< within these. It may be ended for want of room
  /// after 4 times the mean as well, within this and `slow_most`.
  std::chrono::milliseconds patience_least{1'000};
  std::chrono::milliseconds told_every{20};   ///< What is settled is told at most so often, but
  std::size_t told_at_once = 32;              ///< at once when it is as much;
  std::chrono::milliseconds shown_after{500}; ///< and what is only offered so late.
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
  log_reader_handle log_reader;
  std::shared_ptr<http_sender> sender;
  std::shared_ptr<delivery_budget> budget;
  std::shared_ptr<delivery_bodies> bodies;
  std::shared_ptr<outage_guard> outage; ///< Null: our own network is never out.
  std::shared_ptr<host_board> board;    ///< Null: nobody looks.
  url_space urls;                       ///< Of what is rendered again.
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
