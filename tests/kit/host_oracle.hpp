/// What must hold of the host shards while a cluster's history goes on.
#pragma once

#include "storage/host_shards.hpp"
#include "storage/lease_keeper.hpp"
#include "tests/kit/both_databases.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <string>
#include <vector>

namespace trunkline::kit {

using host_set = std::bitset<shard_count>;

/// Returns the host shards that the node owns as of its last view.
inline host_set hosts_of(const lease_status& status) {
  auto owned = host_set{};
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    owned[shard] = status.view.hosts[shard].node == status.id &&
                   status.view.hosts[shard].incarnation == status.incarnation;
  return owned;
}

/// The host shards that a node acts for: those that its last view gave it, without those that it
/// has handed on since, or may have.
class host_share {
public:
  /// Call it after each step. Tells whether the view is another one than before; then the share is
  /// of that view. A node that has joined again acts for nothing before its first view.
  bool see(const lease_status& status) {
    const auto* own = status.view.find(status.id);
    const auto mark = own ? own->mark() : lease_mark{};
    if (mark == seen_ && status.incarnation == incarnation_)
      return false;
    seen_ = mark;
    incarnation_ = status.incarnation;
    acts_for_ = hosts_of(status);
    return true;
  }

  /// Hands on what is misplaced, in a batch of the node. Returns how many shards were moved.
  std::size_t hand_on(database& db, const lease_status& status, std::int64_t batch) {
    const auto moves = misplaced_host_shards(status.view, status.id);
    if (moves.empty())
      return 0;
    for (const auto& move : moves)
      acts_for_.reset(move.shard);
    auto moved = std::vector<std::uint8_t>{};
    const auto done = db.commit_batch(batch, status.view.now, status.fence(),
                                      [&](database&) -> caf::expected<std::vector<log_draft>> {
                                        auto handed =
                                            hand_on_host_shards(db, status.fence(), moves);
                                        if (!handed)
                                          return std::move(handed.error());
                                        moved = std::move(*handed);
                                        return std::vector<log_draft>{};
                                      });
    if (!done) // the next view tells what came of it
      return 0;
    for (const auto& move : moves)
      acts_for_.set(move.shard, std::ranges::find(moved, move.shard) == moved.end());
    return moved.size();
  }

  const host_set& acts_for() const { return acts_for_; }

private:
  lease_mark seen_;
  std::int64_t incarnation_ = 0;
  host_set acts_for_;
};

/// Since when nobody acts for a host shard.
class host_silence {
public:
  explicit host_silence(boot_time begun) { since_.fill(begun); }

  void end_for(const host_set& shards, boot_time now) {
    for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
      if (shards[shard])
        since_[shard] = now;
  }

  boot_clock::duration longest(boot_time now) const {
    return now - *std::ranges::min_element(since_);
  }

private:
  std::array<boot_time, shard_count> since_{};
};

/// The fence of each host shard's owner.
using host_fences = std::array<write_fence, shard_count>;

inline host_set owned_by(const write_fence& owner, const host_fences& fences) {
  auto owned = host_set{};
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    owned[shard] = fences[shard] == owner;
  return owned;
}

/// As the database has it.
inline host_fences host_owners(database& db) {
  auto owners = host_fences{};
  const auto found =
      must(db.run("SELECT shard, node_id, incarnation FROM shard_owner WHERE kind = 2"));
  for (const auto& row : found.rows)
    owners.at(static_cast<std::size_t>(row[0].integer())) = {row[1].integer(), row[2].integer()};
  return owners;
}

} // namespace trunkline::kit
