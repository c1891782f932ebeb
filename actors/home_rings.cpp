#include "actors/home_rings.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// Appends under one hold of a shard's mutex.
constexpr auto hold_max = std::size_t{256};

/// Of the rings, what is dropped at once when there are too many: looking for them looks at all.
constexpr auto eviction_share = std::size_t{16};

/// Tells whether the follow alone decides: then no graph is looked at.
bool is_plain(const post_facts& facts) {
  return !facts.boost_of && !facts.reply_to && facts.mentions.empty() &&
         facts.seen_by != visibility::direct;
}

std::int64_t count_follows(const viewer_graph& graph) {
  return static_cast<std::int64_t>(graph.followees.size()) + 1;
}

} // namespace

std::optional<home_snapshot> home_rings::read(account_id viewer, time_point now,
                                              steady_time read_at) {
  auto& in = shard_of(viewer);
  const auto held = std::lock_guard{in.guard};
  const auto* found = find(in, viewer, now);
  if (!found)
    return std::nullopt;
  in.slots[in.places.at(viewer)].read_at = read_at;
  return home_snapshot{.graph = found->graph,
                       .posts = found->ring.newest_first(),
                       .complete_from = found->ring.complete_from(),
                       .seq = found->seq,
                       .judged_at = now};
}

std::optional<home_ring_report> home_rings::describe(account_id viewer, time_point now) const {
  const auto& in = shard_of(viewer);
  const auto held = std::lock_guard{in.guard};
  const auto* found = find(in, viewer, now);
  if (!found)
    return std::nullopt;
  return home_ring_report{found->ring.size(), found->ring.newest(), found->ring.oldest()};
}

void home_rings::install(const home_snapshot& home, steady_time read_at) {
  const auto viewer = home.graph->viewer;
  const auto index = account_shard(viewer);
  drop(index, viewer);
  auto& in = shards_[index];
  auto place = static_cast<std::uint32_t>(in.slots.size());
  {
    const auto held = std::lock_guard{in.guard};
    if (in.free.empty()) {
      in.slots.emplace_back();
    } else {
      place = in.free.back();
      in.free.pop_back();
    }
    auto& ring = in.slots[place];
    ring = {.viewer = viewer,
            .graph = home.graph,
            .changes_at = home.graph->changes_at(home.judged_at),
            .seq = home.seq,
            .read_at = read_at};
    ring.ring.assign(home);
    in.places[viewer] = place;
  }
  add_followers(index, place, home);
  ++counters_.loaded;
  ++counters_.installed;
  make_room(viewer);
}

void home_rings::drop(account_id viewer, log_seq seq) {
  const auto index = account_shard(viewer);
  const auto& in = shards_[index];
  // Only the writer changes what is read here, and this is the writer.
  const auto found = in.places.find(viewer);
  if (found != in.places.end() && in.slots[found->second].seq < seq)
    drop(index, viewer);
}

void home_rings::drop_followers(account_id author, log_seq seq) {
  const auto found = authors_.find(author);
  if (found == authors_.end())
    return;
  auto viewers = std::vector<account_id>{};
  for (auto index = std::size_t{0}; index < shard_count; ++index)
    if (found->second.shards.test(index))
      for (const auto& follower : shards_[index].followers.at(author))
        viewers.push_back(shards_[index].slots[follower.slot].viewer);
  for (const auto viewer : viewers)
    drop(viewer, seq);
}

void home_rings::drop_unread(steady_time now) {
  for (auto index = std::size_t{0}; index < shard_count; ++index) {
    auto unread = std::vector<account_id>{};
    {
      const auto held = std::lock_guard{shards_[index].guard};
      for (const auto& ring : shards_[index].slots)
        if (ring.viewer && now - ring.read_at >= options_.unread_max)
          unread.push_back(ring.viewer);
    }
    for (const auto viewer : unread)
      drop(index, viewer);
  }
}

std::size_t home_rings::apply(const ring_update& update, fanout_cursor& cursor,
                              std::size_t visits_max, time_point now) {
  const auto found = authors_.find(update.facts.author);
  auto visits = std::size_t{0};
  for (; found != authors_.end() && !cursor.is_done(); ++cursor.shard, cursor.left.reset()) {
    if (!found->second.shards.test(cursor.shard))
      continue;
    visits += visit(shards_[cursor.shard], update, cursor, visits_max - visits, now);
    if (*cursor.left > 0)
      break;
  }
  if (found == authors_.end())
    cursor = {shard_count, {}};
  counters_.visits += static_cast<std::int64_t>(visits);
  return visits;
}

void home_rings::apply_to(account_id viewer, const ring_update& update, time_point now) {
  auto& in = shard_of(viewer);
  const auto held = std::lock_guard{in.guard};
  if (const auto found = in.places.find(viewer); found != in.places.end())
    change(in.slots[found->second], update, true, now);
}

std::size_t home_rings::count_followers(account_id author) const {
  const auto found = authors_.find(author);
  return found == authors_.end() ? 0 : found->second.count;
}

const home_rings::held_ring* home_rings::find(const shard& in, account_id viewer, time_point now) {
  const auto found = in.places.find(viewer);
  if (found == in.places.end())
    return nullptr;
  const auto& ring = in.slots[found->second];
  return ring.changes_at && *ring.changes_at <= now ? nullptr : &ring;
}

void home_rings::add_followers(std::size_t shard_index, std::uint32_t slot,
                               const home_snapshot& home) {
  const auto& graph = *home.graph;
  add_follower(shard_index, graph.viewer, {slot, false});
  for (const auto& followed : graph.followees)
    if (followed.account != graph.viewer && graph.shows_author(followed.account, home.judged_at))
      add_follower(shard_index, followed.account,
                   {slot, graph.languages_of(followed.account) != nullptr});
  counters_.follows += count_follows(graph);
}

void home_rings::add_follower(std::size_t shard_index, account_id author, index_entry added) {
  shards_[shard_index].followers[author].push_back(added);
  auto& known = authors_[author];
  known.shards.set(shard_index);
  ++known.count;
}

void home_rings::remove_followers(std::size_t shard_index, std::uint32_t slot,
                                  const viewer_graph& graph) {
  remove_follower(shard_index, slot, graph.viewer);
  for (const auto& followed : graph.followees)
    if (followed.account != graph.viewer)
      remove_follower(shard_index, slot, followed.account);
  counters_.follows -= count_follows(graph);
}

/// The last one takes the place of the removed one. An update on its way visits from the end, so
/// that whoever moves to the front was visited, or is still to be.
void home_rings::remove_follower(std::size_t shard_index, std::uint32_t slot, account_id author) {
  auto& followers = shards_[shard_index].followers;
  const auto found = followers.find(author);
  if (found == followers.end())
    return;
  auto& list = found->second;
  const auto place = std::ranges::find(list, slot, &index_entry::slot);
  if (place == list.end())
    return;
  *place = list.back();
  list.pop_back();
  auto& known = authors_.at(author);
  if (list.empty()) {
    followers.erase(found);
    known.shards.reset(shard_index);
  }
  if (--known.count == 0)
    authors_.erase(author);
}

void home_rings::drop(std::size_t shard_index, account_id viewer) {
  auto& in = shards_[shard_index];
  const auto found = in.places.find(viewer);
  if (found == in.places.end())
    return;
  const auto place = found->second;
  remove_followers(shard_index, place, *in.slots[place].graph);
  {
    const auto held = std::lock_guard{in.guard};
    in.slots[place] = {};
    in.places.erase(found);
  }
  in.free.push_back(place);
  --counters_.loaded;
  ++counters_.dropped;
}

void home_rings::make_room(account_id keep) {
  const auto is_full = [&] {
    return counters_.loaded > static_cast<std::int64_t>(options_.rings_max) ||
           counters_.follows > static_cast<std::int64_t>(options_.follows_max);
  };
  while (is_full() && counters_.loaded > 1) {
    auto read = std::vector<std::pair<steady_time, account_id>>{};
    for (const auto& in : shards_) {
      const auto held = std::lock_guard{in.guard};
      for (const auto& ring : in.slots)
        if (ring.viewer && ring.viewer != keep)
          read.emplace_back(ring.read_at, ring.viewer);
    }
    const auto count = std::max<std::size_t>(read.size() / eviction_share, 1);
    std::ranges::nth_element(read, read.begin() + static_cast<std::ptrdiff_t>(count - 1));
    for (const auto& [at, viewer] : std::span{read}.first(count))
      drop(account_shard(viewer), viewer);
  }
}

std::size_t home_rings::visit(shard& in, const ring_update& update, fanout_cursor& cursor,
                              std::size_t visits_max, time_point now) {
  const auto& followers = in.followers.at(update.facts.author);
  const auto is_judged = !is_plain(update.facts);
  auto left = std::min(cursor.left.value_or(followers.size()), followers.size());
  auto visits = std::size_t{0};
  auto appends = std::int64_t{0};
  while (left > 0 && visits < visits_max) {
    const auto held = std::lock_guard{in.guard};
    for (auto turn = std::min({left, visits_max - visits, hold_max}); turn > 0; --turn, ++visits) {
      const auto& follower = followers[--left];
      appends += change(in.slots[follower.slot], update, is_judged || follower.limited, now);
    }
  }
  cursor.left = left;
  counters_.appends += appends;
  return visits;
}

bool home_rings::change(held_ring& ring, const ring_update& update, bool is_judged,
                        time_point now) {
  const auto& facts = update.facts;
  if (update.kind == ring_update::what::remove) {
    ring.ring.remove_deleted(facts.id);
    return false;
  }
  if (!is_judged || may_belong_in_home(*ring.graph, facts, now))
    return ring.ring.insert({facts.id, facts.boost_of});
  if (update.kind == ring_update::what::refilter)
    ring.ring.remove(facts.id);
  return false;
}

} // namespace trunkline
