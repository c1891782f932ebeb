/// A request of a host actor, from the first thing that is read for it to its answer.
#pragma once

#include "actors/delivery_budget.hpp"
#include "actors/remote_host_messages.hpp"
#include "protocol/delivery_queue.hpp"
#include "protocol/http_signature.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace trunkline {

/// A fetch that waits for a place, or is under way.
struct waiting_fetch {
  fetch_document wanted;
  caf::typed_response_promise<fetched_document> reply;
  time_point due;
};

struct host_exchange {
  std::uint64_t id = 0; ///< They rise.
  queued_unit item;     ///< Of a delivery.
  bool is_exception = false;
  bool is_probe = false;
  std::optional<waiting_fetch> fetch; ///< Nothing: a delivery.
  signature_scheme scheme = signature_scheme::cavage;
  int status = 0; ///< Of its answer; 0 without one.
  budget_place place;
  std::uint64_t request = 0; ///< By which the sender knows it.
  std::optional<std::chrono::steady_clock::time_point> sent_at;
  bool may_be_slow = true; ///< It has a place that a slow request gives up.
};

/// What came before the host had started, and what an earlier life of it may have left.
struct early_orders {
  std::vector<std::function<void()>> when_started; ///< At most `asked_max`.
  bool retry = false;
  bool life = false;                   ///< A sign of it.
  std::optional<bool> paused;          ///< Newer than what was read;
  std::optional<log_seq> drained_upto; ///< likewise, of a resumed one.
  /// When it started, or when the last request was sent that was given up before its limit.
  std::chrono::steady_clock::time_point doubted_at;
  /// The peer may still be at work at a request about them that was given up: the last such row.
  /// What is newer waits. At most `exceptions_max`.
  std::map<std::pair<endpoint_id, object_key>, log_seq> doubtful;
  /// Exceptions that have no turn meanwhile.
  std::vector<delivery_unit> out;
};

struct host_fetches {
  std::deque<waiting_fetch> waiting;
  std::int64_t under_way = 0;
  bool went_last = false;               ///< Deliveries and fetches take turns.
  std::optional<time_point> not_before; ///< The host asked for it; deliveries go on.
};

/// Returns how far the requests of a host lie apart that may take `per_s` a second.
inline std::chrono::microseconds gap_of(std::int64_t per_s) {
  return std::chrono::ceil<std::chrono::microseconds>(
      std::chrono::duration<double>{1.0 / static_cast<double>(std::max<std::int64_t>(1, per_s))});
}

/// The places of the node's budgets that a host asks for.
struct host_places {
  std::array<bool, budget_kinds> asked{}; ///< One comes as a message.
  budget_kind kind = budget_kind::healthy;
  budget_place free;                                ///< Of that kind, not used yet.
  std::chrono::steady_clock::time_point next_begin; ///< Of a host with a limit per second.
  bool watched = false;                             ///< Whether requests are slow.
};

} // namespace trunkline
