#include "storage/home_merge.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace trunkline {

namespace {

constexpr auto newest_id = post_id{std::numeric_limits<std::int64_t>::max()};

// Of 400 posts few are of one author, as a rule; of an author who writes most of them, many.
constexpr auto first_chunk = std::size_t{8};
constexpr auto chunk_max = std::size_t{128};

constexpr auto newest_of_followees = std::string_view{
    "SELECT f.followee, (SELECT max(p.id) FROM post p WHERE p.author = f.followee AND p.id > $2"
    " AND p.id < $3) FROM follow f WHERE f.follower = $1 AND f.accepted = 1"};
constexpr auto oldest_of_followees = std::string_view{
    "SELECT f.followee, (SELECT min(p.id) FROM post p WHERE p.author = f.followee AND p.id > $2"
    " AND p.id < $3) FROM follow f WHERE f.follower = $1 AND f.accepted = 1"};
constexpr auto newest_of_viewer =
    std::string_view{"SELECT max(id) FROM post WHERE author = $1 AND id > $2 AND id < $3"};
constexpr auto oldest_of_viewer =
    std::string_view{"SELECT min(id) FROM post WHERE author = $1 AND id > $2 AND id < $3"};

} // namespace

auto home_merge::order() const {
  return [this](std::size_t left, std::size_t right) {
    const auto one = authors_[left].head;
    const auto other = authors_[right].head;
    return range_.oldest_first ? one > other : one < other;
  };
}

home_merge::home_merge(database& db, const viewer_graph& graph, home_range range, time_point now,
                       std::size_t scan_max)
    : db_{db}, graph_{graph}, range_{range}, now_{now}, scan_max_{scan_max} {
  if (!range_.below)
    range_.below = newest_id;
}

caf::error home_merge::start() {
  const auto bounds = {sql_value{graph_.viewer}, sql_value{range_.above}, sql_value{range_.below}};
  const auto own = db_.run(range_.oldest_first ? oldest_of_viewer : newest_of_viewer, bounds);
  if (!own)
    return own.error();
  const auto others =
      db_.run(range_.oldest_first ? oldest_of_followees : newest_of_followees, bounds);
  if (!others)
    return others.error();
  add_author(graph_.viewer, own->rows[0][0]);
  for (const auto& row : others->rows)
    if (const auto author = row[0].id<account_id>(); author != graph_.viewer)
      add_author(author, row[1]);
  return {};
}

caf::expected<std::optional<post_facts>> home_merge::next() {
  while (!heap_.empty() && (looked_at_ < scan_max_ || !authors_[heap_.front()].read.empty())) {
    const auto index = pop();
    auto& of = authors_[index];
    if (of.read.empty()) {
      const auto bound = of.head;
      if (auto failure = read_chunk(of))
        return failure;
      // Only now it is known where he goes on; others may come first.
      if (of.read.empty() || of.head != bound) {
        push(index);
        continue;
      }
    }
    auto post = std::move(of.read.front());
    of.read.pop_front();
    advance(of, post.id);
    push(index);
    return std::optional{std::move(post)};
  }
  return std::optional<post_facts>{};
}

std::optional<post_id> home_merge::rest() const {
  return heap_.empty() ? std::nullopt : std::optional{authors_[heap_.front()].head};
}

void home_merge::add_author(account_id author, const sql_value& head) {
  if (head.is_null() || !graph_.shows_author(author, now_))
    return;
  authors_.push_back({.author = author, .head = head.id<post_id>(), .chunk = first_chunk});
  push(authors_.size() - 1);
}

caf::error home_merge::read_chunk(author_posts& of) {
  auto stretch = read_facts(db_, {.author = of.author,
                                  .from = of.head,
                                  .end = range_.oldest_first ? range_.below : range_.above,
                                  .oldest_first = range_.oldest_first,
                                  .limit = of.chunk});
  if (!stretch)
    return std::move(stretch.error());
  looked_at_ += stretch->looked_at;
  of.is_read_to_end = stretch->looked_at < of.chunk;
  of.chunk = std::min(of.chunk * 2, chunk_max);
  std::ranges::move(stretch->posts, std::back_inserter(of.read));
  advance(of, stretch->last);
  return {};
}

/// Sets where the author goes on after `last`, if he does.
void home_merge::advance(author_posts& of, post_id last) {
  if (!of.read.empty())
    of.head = of.read.front().id;
  else
    of.head = {range_.oldest_first ? last.value + 1 : last.value - 1};
}

/// Puts an author into the heap, unless he has nothing any more.
void home_merge::push(std::size_t index) {
  if (authors_[index].read.empty() && authors_[index].is_read_to_end)
    return;
  heap_.push_back(index);
  std::ranges::push_heap(heap_, order());
}

std::size_t home_merge::pop() {
  std::ranges::pop_heap(heap_, order());
  const auto index = heap_.back();
  heap_.pop_back();
  return index;
}

} // namespace trunkline
