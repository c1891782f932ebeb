/// One node's part in the cluster: joins, keeps its lease, watches the leases of the others and
/// takes over from one that is gone.
///
/// A plain state machine that blocks in the database and in nothing else. One thread; the thread
/// that asks for `status` is the one that calls `step`. What the node does beside it depends on
/// `lease_status::may_serve`, with the same clock. A statement that fails changes nothing but the
/// next try, and the lease runs out by itself.
#pragma once

#include "storage/boot_clock.hpp"
#include "storage/cluster_store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace trunkline {

/// From one renewal to the next, and from a statement that failed to the next try.
inline constexpr auto renew_every = std::chrono::milliseconds{1'500};

/// A slow database gets this much rest between two renewals.
inline constexpr auto renew_pause = std::chrono::milliseconds{50};

/// The node holds its lease for this long from when it sent its last confirmed renewal.
inline constexpr auto held_for = std::chrono::seconds{4};

/// A lease must have been seen unchanged for this long before another node takes over.
inline constexpr auto unchanged_for = std::chrono::milliseconds{4'500};

/// Nodes that cannot reach each other stay for this long, from when a view said so first.
inline constexpr auto cut_for = std::chrono::milliseconds{1'600};

/// A refused node is admitted after it has reached all that are kept for this long.
inline constexpr auto whole_for = std::chrono::seconds{30};

/// A node takes over only after it has held its own lease without a gap for this long.
inline constexpr auto observed_for = lease_length;

enum class lease_phase : std::uint8_t {
  joining,     ///< Not in the cluster: it has not been yet, waits for another process, was deposed.
  standing_by, ///< In the cluster without the account shards; it may own host shards.
  serving,     ///< It owns the account shards.
  leaving,     ///< Acts for no shard and has to tell the database.
  left,        ///< For good.
  doubled,     ///< Another process runs under its name: the program has to end, with exit code 75.
};

/// "joining", "standing_by", ...: the words of the admin API.
std::string_view to_string(lease_phase phase);

struct lease_status {
  lease_phase phase = lease_phase::joining;
  boot_time held_until; ///< Of the node's own lease; the past where it has none.
  std::int64_t id = 0;  ///< This and what follows: as of the last time that it joined; 0: never.
  std::uint8_t slot = 0;
  std::int64_t incarnation = 0;
  std::string waits_for; ///< While joining: the holder whose lease has to end first.
  cluster_view view;     ///< As of the last answer.
  caf::error failure;    ///< What the last step failed with, none when it did not.

  write_fence fence() const { return {.node = id, .incarnation = incarnation}; }
  /// Tells whether the node may act as the owner of the account shards at `now`.
  bool may_serve(boot_time now) const { return phase == lease_phase::serving && now < held_until; }
  /// Tells whether the node may act at `now` for the host shards that it owns.
  bool is_member(boot_time now) const {
    return may_serve(now) || (phase == lease_phase::standing_by && now < held_until);
  }
};

class lease_keeper {
public:
  using clock = std::function<boot_time()>;

  /// Says what the others learn of the node; asked before each renewal.
  using reporter = std::function<renewal_words()>;

  /// `wish.waited_out` is the keeper's own. `report` may be empty: nothing is said.
  lease_keeper(join_wish wish, clock now, reporter report = {});

  /// Does what is due, one operation of the cluster store at most. Returns when to be called again,
  /// `boot_time::max()` for never. `status` may have changed, also by a failure.
  boot_time step(database& db);

  /// Lets go of the lease: from now on the node acts for no shard, and the next steps tell the
  /// database. Publish `status` before the next step: its commit lets other nodes act.
  void leave();

  /// Lets a node that is in the cluster renew early: another node is believed to be gone, or to
  /// have handed over.
  void look();

  const lease_status& status() const { return status_; }

private:
  struct watched_lease {
    lease_mark mark;
    boot_time since; ///< When it was first seen.
    boot_time due;   ///< When to take over, if it stays as it is.
  };

  boot_time join(database& db);
  void enter(const joined_node& node, boot_time sent, boot_time got);
  boot_time renew(database& db);
  void confirm(boot_time sent, boot_time got);
  void watch(boot_time got);
  void judge(boot_time got);
  boot_time stand_aside(database& db);
  boot_time be_admitted(database& db);
  boot_time due_of(const watched_lease& lease, const cluster_node& node, boot_time got) const;
  void lose(lease_phase phase);
  boot_time take_over_from(database& db, watched_lease& lease);
  boot_time give_free(database& db);
  boot_time tell_leaving(database& db);
  /// Notes what a step failed with; returns when to try again.
  boot_time retry(const caf::error& failure, boot_time sent);
  boot_time next_due() const;

  join_wish wish_;
  clock now_;
  reporter report_;
  lease_status status_;
  boot_time next_;                       ///< Of joining, renewing or leaving.
  boot_time observing_since_;            ///< The node has held its lease without a gap since then.
  std::string server_;                   ///< That it has observed through.
  std::optional<boot_time> free_due_;    ///< When to give free shards away, if there are any.
  std::optional<boot_time> cut_since_;   ///< It is not among those that are kept.
  std::optional<boot_time> whole_since_; ///< It is, though refused.
  std::optional<boot_time> aside_due_;   ///< When to step aside, or to be admitted.
  std::optional<boot_time> admit_due_;
  std::map<std::int64_t, watched_lease> watched_; ///< The leases of the others, by node.
};

} // namespace trunkline
