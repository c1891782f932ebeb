/// Counts that are shown beside accounts and posts. No row holds them: they are recounted from an
/// index when cold, and kept in memory.
#pragma once

#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace trunkline {

struct account_counts {
  std::int64_t followers = 0;
  std::int64_t following = 0;
  std::int64_t posts = 0;                 ///< Boosts included, but for direct ones.
  std::optional<time_point> last_post_at; ///< Of the same posts.
  friend bool operator==(const account_counts&, const account_counts&) = default;
};

struct post_counts {
  std::int64_t replies = 0; ///< Public and unlisted ones.
  std::int64_t boosts = 0;
  std::int64_t favourites = 0;
  friend bool operator==(const post_counts&, const post_counts&) = default;
};

/// Counts that are kept: whoever shows counts asks here first, and brings back what he had to
/// recount. Every member may be called by any thread.
///
///     if (const auto counts = known.find(post)) ...
///     const auto lease = known.lease(post); // before the first statement that counts
///     ... count ...
///     known.keep(post, counts, lease);
class known_counts {
public:
  virtual ~known_counts() = default;

  /// Returns the counts, if they are known and nothing that was answered has changed them since.
  virtual std::optional<account_counts> find(account_id account) = 0;
  virtual std::optional<post_counts> find(post_id post) = 0;

  /// Returns the number under which `keep` takes what is counted from now on.
  virtual std::uint64_t lease(account_id account) = 0;
  virtual std::uint64_t lease(post_id post) = 0;

  /// Keeps the counts, unless they may have changed since the lease.
  virtual void keep(account_id account, const account_counts& counts, std::uint64_t lease) = 0;
  virtual void keep(post_id post, const post_counts& counts, std::uint64_t lease) = 0;
};

using known_counts_ptr = std::shared_ptr<known_counts>;

} // namespace trunkline
