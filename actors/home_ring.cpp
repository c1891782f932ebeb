#include "actors/home_ring.hpp"

#include <algorithm>

namespace trunkline {

void home_ring::assign(const home_snapshot& home) {
  posts_.assign(home.posts.rbegin(), home.posts.rend());
  posts_.shrink_to_fit();
  start_ = 0;
  complete_from_ = home.complete_from;
}

bool home_ring::insert(home_reference post) {
  if (post.id < complete_from_)
    return false;
  const auto older = count_older(post.id);
  if (older < posts_.size() && at(older).id == post.id)
    return false;
  if (posts_.size() < home_ring_size) {
    // Not full yet, so nothing is rotated.
    posts_.insert(posts_.begin() + static_cast<std::ptrdiff_t>(older), post);
    return true;
  }
  if (older == 0) {
    // The oldest of all: it would be dropped again at once.
    complete_from_ = at(0).id;
    return false;
  }
  // The oldest makes room, and those between it and the new post's place move up by one.
  start_ = place(1);
  for (auto index = home_ring_size - 1; index >= older; --index)
    at(index) = at(index - 1);
  at(older - 1) = post;
  complete_from_ = at(0).id;
  return true;
}

bool home_ring::remove(post_id post) {
  return remove_if([post](const home_reference& held) { return held.id == post; });
}

bool home_ring::remove_deleted(post_id post) {
  return remove_if(
      [post](const home_reference& held) { return held.id == post || held.boost_of == post; });
}

template <class Predicate>
bool home_ring::remove_if(Predicate unwanted) {
  if (std::ranges::none_of(posts_, unwanted))
    return false;
  std::ranges::rotate(posts_, posts_.begin() + static_cast<std::ptrdiff_t>(start_));
  start_ = 0;
  std::erase_if(posts_, unwanted);
  return true;
}

std::vector<home_reference> home_ring::newest_first() const {
  auto posts = std::vector<home_reference>{};
  posts.reserve(posts_.size());
  for (auto index = posts_.size(); index > 0; --index)
    posts.push_back(at(index - 1));
  return posts;
}

/// New posts are nearly always the newest: the search begins there.
std::size_t home_ring::count_older(post_id id) const {
  auto count = posts_.size();
  while (count > 0 && at(count - 1).id >= id)
    --count;
  return count;
}

} // namespace trunkline
