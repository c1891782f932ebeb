/// The home rings of this node, and beside them the follower index: author -> loaded local
/// followers. A ring exists from the first read of its account's home until it goes cold.
///
/// Threads: one writer, the fan-out, calls the functions marked so; any thread may call the others.
/// Each account shard has a mutex that guards its rings; the follower index is the writer's alone
/// and needs none. A mutex, and not snapshots that readers keep, because an append would have to
/// copy 6.4 KB to change 16 bytes; and it is never waited for long: a reader holds it to copy 400
/// references, the writer for at most 256 appends.
///
/// A ring may hold posts that are gone, boosts that were taken back, and boosts of posts that name
/// somebody hidden: whoever reads looks at the posts and judges again. It never lacks a post that
/// belongs and is not older than its `complete_from`.
#pragma once

#include "actors/home_ring.hpp"
#include "protocol/home.hpp"
#include "protocol/shard.hpp"

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace trunkline {

struct home_rings_options {
  std::size_t rings_max = 20'000;      ///< Of 6.4 KB each; past it the least recently read go.
  std::size_t follows_max = 5'000'000; ///< Of all rings, 24 bytes each; past it as above.
  std::chrono::hours unread_max = std::chrono::hours{7 * 24}; ///< Then a ring is dropped.
};

/// What the rings have done; written by the fan-out, read by any thread.
struct home_rings_counters {
  std::atomic<std::int64_t> loaded = 0;    ///< Rings now.
  std::atomic<std::int64_t> follows = 0;   ///< Entries of the follower index now.
  std::atomic<std::int64_t> installed = 0; ///< Rings put in place since the start.
  std::atomic<std::int64_t> dropped = 0;   ///< Rings that went cold since the start.
  std::atomic<std::int64_t> visits = 0;    ///< Rings looked at by fan-outs.
  std::atomic<std::int64_t> appends = 0;   ///< Posts put into rings by fan-outs.
};

/// What one row of the log does to the rings of those who follow its author.
struct ring_update {
  enum class what { insert, refilter, remove };
  what kind = what::insert;
  post_facts facts; ///< To remove: id and author alone.
};

/// How far an update is on its way over the rings.
struct fanout_cursor {
  std::size_t shard = 0;
  std::optional<std::size_t> left; ///< Followers not visited in this shard; nothing: all.

  bool is_done() const { return shard == shard_count; }
};

/// A ring, described for whoever asks how it is.
struct home_ring_report {
  std::size_t length = 0;
  post_id newest;
  post_id oldest;
};

class home_rings {
public:
  using steady_time = std::chrono::steady_clock::time_point;

  explicit home_rings(home_rings_options options = {}) : options_{options} {}

  /// Returns the account's ring as it is, and notes that it was read at `read_at`. Nothing when it
  /// is cold, or was judged by a mute that has ended at `now`. Its `seq` is that of the rebuild.
  std::optional<home_snapshot> read(account_id viewer, time_point now, steady_time read_at);

  /// Returns what `read` would show of the ring, without counting as a read.
  std::optional<home_ring_report> describe(account_id viewer, time_point now) const;

  const home_rings_counters& counters() const { return counters_; }

  /// Puts a home in place, replacing a ring of the same account; counts as a read. WRITER
  void install(const home_snapshot& home, steady_time read_at);

  /// Drops the account's ring, if there is one and it does not know row `seq` already. WRITER
  void drop(account_id viewer, log_seq seq);

  /// Drops the rings of all who follow `author`, as `drop`. WRITER
  void drop_followers(account_id author, log_seq seq);

  /// Drops the rings nobody has read for `unread_max`. WRITER
  void drop_unread(steady_time now);

  /// Takes `update` further: visits followers of its author from `cursor` on, at most `visits_max`,
  /// and returns how many. Rings may come and go between two calls. WRITER
  std::size_t apply(const ring_update& update, fanout_cursor& cursor, std::size_t visits_max,
                    time_point now);

  /// Applies `update` to one ring at once. WRITER
  void apply_to(account_id viewer, const ring_update& update, time_point now);

  /// Returns the loaded followers of `author`, himself included when his ring is loaded. WRITER
  std::size_t count_followers(account_id author) const;

private:
  struct held_ring {
    account_id viewer; ///< 0: free.
    std::shared_ptr<const viewer_graph> graph;
    home_ring ring;
    std::optional<time_point> changes_at;
    log_seq seq = 0;
    steady_time read_at;
  };

  struct index_entry {
    std::uint32_t slot = 0;
    bool limited = false; ///< To some languages.
  };

  struct shard {
    mutable std::mutex guard; ///< Of `slots` and `places`.
    std::vector<held_ring> slots;
    std::unordered_map<account_id, std::uint32_t> places;
    // The writer's alone:
    std::vector<std::uint32_t> free;
    std::unordered_map<account_id, std::vector<index_entry>> followers;
  };

  shard& shard_of(account_id viewer) { return shards_[account_shard(viewer)]; }
  const shard& shard_of(account_id viewer) const { return shards_[account_shard(viewer)]; }
  static const held_ring* find(const shard& in, account_id viewer, time_point now);

  void add_followers(std::size_t shard_index, std::uint32_t slot, const home_snapshot& home);
  void add_follower(std::size_t shard_index, account_id author, index_entry added);
  void remove_followers(std::size_t shard_index, std::uint32_t slot, const viewer_graph& graph);
  void remove_follower(std::size_t shard_index, std::uint32_t slot, account_id author);
  void drop(std::size_t shard_index, account_id viewer);
  void make_room(account_id keep);
  std::size_t visit(shard& in, const ring_update& update, fanout_cursor& cursor,
                    std::size_t visits_max, time_point now);
  static bool change(held_ring& ring, const ring_update& update, bool is_judged, time_point now);

  home_rings_options options_;
  home_rings_counters counters_;
  std::array<shard, shard_count> shards_;
  /// In which shards an author has loaded followers, and how many; the writer's alone.
  struct following {
    std::bitset<shard_count> shards;
    std::size_t count = 0;
  };
  std::unordered_map<account_id, following> authors_;
};

} // namespace trunkline
