/// One home ring: the newest references of a home timeline, ordered by id, in a buffer that
/// overwrites its oldest. Not thread-safe; `home_rings` guards it.
#pragma once

#include "protocol/home.hpp"

#include <cstddef>
#include <vector>

namespace trunkline {

class home_ring {
public:
  /// Puts what a rebuild read in place of everything.
  void assign(const home_snapshot& home);

  /// Inserts at the place of its id, and drops the oldest when the ring is full. Returns false,
  /// and changes nothing, when it is there already or older than what the ring covers.
  bool insert(home_reference post);

  /// Removes the post, not its boosts; returns whether it was there.
  bool remove(post_id post);

  /// Removes a post that is no more, and its boosts; returns whether there were any.
  bool remove_deleted(post_id post);

  /// Returns the references, newest first.
  std::vector<home_reference> newest_first() const;

  /// No post that belongs and is not older than this is missing; 0: the ring holds everything.
  post_id complete_from() const { return complete_from_; }

  std::size_t size() const { return posts_.size(); }
  post_id newest() const { return posts_.empty() ? post_id{} : at(posts_.size() - 1).id; }
  post_id oldest() const { return posts_.empty() ? post_id{} : at(0).id; }

private:
  /// The `index`-th, counted from the oldest.
  const home_reference& at(std::size_t index) const { return posts_[place(index)]; }
  home_reference& at(std::size_t index) { return posts_[place(index)]; }
  std::size_t place(std::size_t index) const {
    const auto place = start_ + index;
    return place < posts_.size() ? place : place - posts_.size();
  }

  std::size_t count_older(post_id id) const;
  template <class Predicate>
  bool remove_if(Predicate unwanted);

  std::vector<home_reference> posts_; ///< Rotated: the oldest lies at `start_`.
  std::size_t start_ = 0;             ///< 0 until the ring is full.
  post_id complete_from_;
};

} // namespace trunkline
