/// The housekeeper removes what has been kept long enough: rows of the log, their bodies, batches,
/// what webhooks have taken, codes and sessions that have ended. One per node.
///
/// A round removes at most `rows_max` rows of each kind, in one change, so that no client waits for
/// it longer than for another batch. While there is more, rounds follow each other by `pause`.
#pragma once

#include "actors/housekeeper_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"

#include <caf/expected.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace trunkline {

struct housekeeper_options {
  std::chrono::nanoseconds interval = std::chrono::minutes{10};
  std::chrono::nanoseconds pause = std::chrono::seconds{1};
  std::chrono::hours log_kept{24 * 30};        ///< Rows of the log, and of the webhooks' outbox.
  std::chrono::hours bodies_kept{24 * 7};      ///< Bodies that can be rendered again.
  std::int64_t log_bytes_max = 20'000'000'000; ///< Of all bodies; older ones go before their time.
  std::size_t rows_max = 2'000;                ///< Of each kind and round.
};

class housekeeper_state {
public:
  explicit housekeeper_state(housekeeper_handle::pointer self) : self_{self} {}
  housekeeper_handle::behavior_type make_behavior(storage_handles storage,
                                                  housekeeper_options options);

private:
  void tidy();
  void plan(const caf::expected<std::int64_t>& most_removed);

  housekeeper_handle::pointer self_;
  storage_handles storage_;
  housekeeper_options options_;
};

housekeeper_handle::behavior_type
housekeeper(watched_pointer<housekeeper_handle, housekeeper_state> self, storage_handles storage,
            housekeeper_options options);

} // namespace trunkline
