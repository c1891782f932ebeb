/// Counts that are shown beside accounts and posts. No row holds them: they are recounted from an
/// index when cold, and kept in memory.
#pragma once

#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <cstdint>
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

} // namespace trunkline
