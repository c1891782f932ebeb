/// What the filters of a timeline look at, read from the posts.
#pragma once

#include "protocol/log_entry.hpp"
#include "storage/database.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace trunkline {

/// Posts whose facts one statement reads.
inline constexpr std::size_t facts_chunk = 40;

/// Part of the posts of one author, in the order of their ids.
struct author_range {
  account_id author;
  post_id from; ///< The first one, included.
  post_id end;  ///< The first one past the range; 0: none when newest first.
  bool oldest_first = false;
  std::size_t limit = facts_chunk;
};

/// Facts of a stretch of posts, and where it ended.
struct facts_stretch {
  std::vector<post_facts> posts; ///< Without boosts of posts that are gone.
  std::size_t looked_at = 0;     ///< Those boosts included; lower than the limit: the range ended.
  post_id last;                  ///< The last one looked at.
};

/// Returns the facts of those of `posts` that exist, in any order. Left out are boosts of posts
/// that are gone; `mentions` of a boost are those of the boosted post. At most `facts_chunk` posts;
/// the rest is ignored.
caf::expected<std::vector<post_facts>> read_facts(database& db, std::span<const post_id> posts);

/// Returns the facts of the first `limit` posts of the range, from the index alone.
caf::expected<facts_stretch> read_facts(database& db, const author_range& range);

} // namespace trunkline
