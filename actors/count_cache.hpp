/// Counts of accounts and posts, in memory. Every member may be called by any thread.
///
/// Rows of the log make counts forgotten; the next reader recounts them from an index. Like
/// `token_cache`, it answers only while the node is up to date with the log, so that a count is
/// right after the answer that changed it. Whoever recounts takes a lease first, and his count is
/// kept only if no row changed it meanwhile, and if the log was followed when he began.
#pragma once

#include "actors/log_cache.hpp"
#include "actors/log_position.hpp"
#include "actors/recent_map.hpp"
#include "protocol/counts.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace trunkline {

struct count_cache_options {
  std::size_t accounts_max = 100'000; ///< About 100 bytes each.
  std::size_t posts_max = 200'000;    ///< About 80 bytes each.
};

class count_cache final : public log_cache, public known_counts {
public:
  using steady_clock = std::function<log_position::steady_time()>;

  /// `clock` is the one that the log's ticks are told by; any thread calls it.
  explicit count_cache(std::shared_ptr<const log_position> position,
                       count_cache_options options = {},
                       steady_clock clock = std::chrono::steady_clock::now);

  std::optional<account_counts> find(account_id account) override;
  std::optional<post_counts> find(post_id post) override;

  std::uint64_t lease(account_id account) override;
  std::uint64_t lease(post_id post) override;

  void keep(account_id account, const account_counts& counts, std::uint64_t lease) override;
  void keep(post_id post, const post_counts& counts, std::uint64_t lease) override;

  void apply(const log_entry& row) override;

  std::int64_t hits() const { return hits_; }
  std::int64_t misses() const { return misses_; }

private:
  template <class Counts>
  struct counted {
    std::uint64_t lease = 0;
    std::optional<Counts> counts; ///< Nothing: being counted.
  };

  template <class Id, class Counts>
  using counts_map = recent_map<Id, counted<Counts>>;

  template <class Id, class Counts>
  std::optional<Counts> find_in(counts_map<Id, Counts>& in, Id id);
  template <class Id, class Counts>
  std::uint64_t lease_in(counts_map<Id, Counts>& in, Id id);
  template <class Id, class Counts>
  void keep_in(counts_map<Id, Counts>& in, Id id, const Counts& counts, std::uint64_t lease);

  std::shared_ptr<const log_position> position_;
  const steady_clock clock_;
  std::atomic<std::int64_t> hits_ = 0;
  std::atomic<std::int64_t> misses_ = 0;
  std::mutex guard_; ///< Of all that follows.
  std::uint64_t newest_lease_ = 0;
  counts_map<account_id, account_counts> accounts_;
  counts_map<post_id, post_counts> posts_;
};

} // namespace trunkline
