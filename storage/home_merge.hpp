/// The posts of everybody whom a home shows, merged in the order of their ids.
///
/// A k-way merge over the index (author, id): one statement finds where each author's posts begin,
/// then a heap takes the next post, and an author's posts are read in chunks, and only when it is
/// his turn. So 5,000 followees with 10,000 posts each cost one look at each index entry's
/// beginning and the posts that are looked at.
#pragma once

#include "protocol/home.hpp"
#include "storage/facts_store.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace trunkline {

/// Posts that one merge looks at, at most: a home whose posts lie deeper (thousands of replies to
/// strangers on end) ends there. It bounds what one read costs.
inline constexpr std::size_t home_scan_max = 20'000;

/// A part of a home, by ids.
struct home_range {
  post_id above; ///< Only newer ones; 0: no bound.
  post_id below; ///< Only older ones; 0: no bound.
  bool oldest_first = false;
};

class home_merge {
public:
  /// `graph` must outlive it. Posts of authors whom `graph` does not show at `now` are left out.
  home_merge(database& db, const viewer_graph& graph, home_range range, time_point now,
             std::size_t scan_max = home_scan_max);

  /// Finds where each author begins; call it once, before `next`.
  caf::error start();

  /// Returns the next post in the order of the range; nothing at its end, or after `scan_max`.
  caf::expected<std::optional<post_facts>> next();

  /// Returns where the rest begins that was not looked at: no post of it comes before this id in
  /// the order of the range. Nothing when there is no rest.
  std::optional<post_id> rest() const;

private:
  struct author_posts {
    account_id author;
    post_id head;                ///< The next one, or a bound: none comes before it.
    std::deque<post_facts> read; ///< From `head` on; empty: to be read.
    std::size_t chunk;           ///< Size of the next one to read.
    bool is_read_to_end = false;
  };

  void add_author(account_id author, const sql_value& head);
  caf::error read_chunk(author_posts& of);
  void advance(author_posts& of, post_id last);
  void push(std::size_t index);
  std::size_t pop();
  auto order() const;

  database& db_;
  const viewer_graph& graph_;
  home_range range_;
  time_point now_;
  std::size_t scan_max_;
  std::vector<author_posts> authors_;
  std::vector<std::size_t> heap_; ///< Indices into `authors_`, the next post's at the top.
  std::size_t looked_at_ = 0;
};

} // namespace trunkline
