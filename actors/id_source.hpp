/// Where the ids of this node come from: above the clock, the author's last id, and every id that
/// an earlier process may have handed out.
///
/// The last is kept by a reserve in the database, which lies ahead of the clock and is raised
/// before ids above it are used; a process that starts again begins above the reserve. `id_keeper`
/// raises it.
#pragma once

#include "actors/id_source_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace trunkline {

class database;

struct id_source_options {
  std::chrono::milliseconds ahead{20'000};   ///< How far the reserve lies ahead of the clock.
  std::chrono::milliseconds refresh{10'000}; ///< What is left of it when it is raised again.
  /// Ahead of the last id, when that is ahead of the clock: ids run off by no more at a restart.
  std::chrono::milliseconds margin{1'000};
  std::chrono::milliseconds tick{1'000}; ///< How often the keeper looks.
};

/// Hands out ids of one slot. Any thread.
class id_source {
public:
  /// Begins above the ids of `used`, up to which any may have been given; ids come after the first
  /// `confirm`.
  id_source(std::uint8_t slot, time_point used, wall_clock clock, id_source_options options = {});

  /// Returns a new id greater than `floor` and than every one before it. Fails with
  /// `errc::unavailable` while the reserve does not reach so far.
  caf::expected<std::int64_t> next(std::int64_t floor = 0);

  /// Returns the reserve that should be stored now; nothing when the present one is enough.
  std::optional<time_point> wanted_reserve() const;

  /// Says that `until` is stored: ids up to it may be handed out.
  void confirm(time_point until);

  std::uint8_t slot() const { return slot_; }
  const id_source_options& options() const { return options_; }

private:
  const std::uint8_t slot_;
  const wall_clock clock_;
  const id_source_options options_;
  std::atomic<std::int64_t> last_;
  std::atomic<std::int64_t> reserve_;
  std::atomic<std::int64_t> asked_ = 0; ///< The highest id that was refused.
};

/// Reads the reserve of `slot`, stores one ahead of it, and returns a source that hands out ids at
/// once. Blocks: called at the start, before the writer runs.
caf::expected<std::shared_ptr<id_source>>
open_id_source(database& db, std::uint8_t slot, wall_clock clock, id_source_options options = {});

class id_keeper_state {
public:
  explicit id_keeper_state(id_keeper_handle::pointer self) : self_{self} {}
  id_keeper_handle::behavior_type make_behavior(storage_handles storage,
                                                std::shared_ptr<id_source> ids);

private:
  void look();
  void raise(time_point until);
  void raised(const caf::expected<time_point>& until);

  id_keeper_handle::pointer self_;
  storage_handles storage_;
  std::shared_ptr<id_source> ids_;
  bool raising_ = false;
};

/// Keeps the reserve of `ids` ahead: at most one row per `refresh`.
id_keeper_handle::behavior_type id_keeper(watched_pointer<id_keeper_handle, id_keeper_state> self,
                                          storage_handles storage, std::shared_ptr<id_source> ids);

} // namespace trunkline
