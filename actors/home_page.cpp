#include "actors/home_page.hpp"

#include "storage/facts_store.hpp"
#include "storage/home_store.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace trunkline {

namespace {

/// The references of a ring within a page's bounds, in the order in which the page takes them.
std::vector<post_id> candidates(const home_snapshot& ring, const page_request& page) {
  const auto above = std::max(page.since_id, page.min_id);
  auto posts = std::vector<post_id>{};
  for (const auto& post : ring.posts)
    if (post.id > above && (!page.max_id || post.id < page.max_id))
      posts.push_back(post.id);
  if (page.min_id)
    std::ranges::reverse(posts);
  return posts;
}

/// Adds those of `chunk` that belong, in its order, until the page is full.
caf::error add_belonging(database& db, const viewer_graph& graph, std::span<const post_id> chunk,
                         std::size_t limit, time_point now, std::vector<post_id>& page) {
  const auto facts = read_facts(db, chunk);
  if (!facts)
    return facts.error();
  for (const auto id : chunk) {
    const auto found = std::ranges::find(*facts, id, &post_facts::id);
    if (page.size() < limit && found != facts->end() && belongs_in_home(graph, *found, now))
      page.push_back(id);
  }
  return {};
}

caf::error add_from_ring(database& db, const home_snapshot& ring, const page_request& page,
                         time_point now, std::vector<post_id>& posts) {
  const auto limit = static_cast<std::size_t>(page.limit);
  const auto found = candidates(ring, page);
  auto rest = std::span{found};
  while (!rest.empty() && posts.size() < limit) {
    const auto chunk = rest.first(std::min(rest.size(), facts_chunk));
    if (auto failure = add_belonging(db, *ring.graph, chunk, limit, now, posts))
      return failure;
    rest = rest.subspan(chunk.size());
  }
  return {};
}

caf::error add_from_storage(database& db, const viewer_graph& graph, const page_request& page,
                            time_point now, std::vector<post_id>& posts) {
  const auto range = home_range{.above = std::max(page.since_id, page.min_id),
                                .below = page.max_id,
                                .oldest_first = static_cast<bool>(page.min_id)};
  auto found =
      read_home_range(db, graph, range, static_cast<std::size_t>(page.limit) - posts.size(), now);
  if (!found)
    return std::move(found.error());
  posts.insert(posts.end(), found->begin(), found->end());
  return {};
}

home_page finished(std::vector<post_id> posts, const page_request& page) {
  if (page.min_id)
    std::ranges::reverse(posts);
  return {std::move(posts)};
}

caf::expected<home_page> read_ring_page(database& db, const home_snapshot& ring, page_request page,
                                        time_point now) {
  const auto above = std::max(page.since_id, page.min_id);
  auto posts = std::vector<post_id>{};
  // Upwards from below the ring's end, the ring is not where the page begins.
  const auto ends_in_ring = above.value + 1 >= ring.complete_from.value;
  if (page.min_id && !ends_in_ring) {
    if (auto failure = add_from_storage(db, *ring.graph, page, now, posts))
      return failure;
    return finished(std::move(posts), page);
  }
  if (auto failure = add_from_ring(db, ring, page, now, posts))
    return failure;
  const auto is_short = posts.size() < static_cast<std::size_t>(page.limit);
  if (is_short && !ends_in_ring) {
    if (!page.max_id || page.max_id > ring.complete_from)
      page.max_id = ring.complete_from;
    if (auto failure = add_from_storage(db, *ring.graph, page, now, posts))
      return failure;
  }
  return finished(std::move(posts), page);
}

} // namespace

query<home_page> page_of_ring(home_snapshot ring, page_request page, time_point now) {
  return {[ring = std::move(ring), page, now](database& db) {
    return read_ring_page(db, ring, page, now);
  }};
}

query<home_page> page_of_storage(account_id viewer, page_request page, time_point now) {
  return {[viewer, page, now](database& db) -> caf::expected<home_page> {
    const auto graph = read_viewer_graph(db, viewer);
    if (!graph)
      return graph.error();
    auto posts = std::vector<post_id>{};
    if (auto failure = add_from_storage(db, *graph, page, now, posts))
      return failure;
    return finished(std::move(posts), page);
  }};
}

query<home_snapshot> rebuilt_home(account_id viewer, time_point now) {
  return {[viewer, now](database& db) { return read_home_snapshot(db, viewer, now); }};
}

} // namespace trunkline
