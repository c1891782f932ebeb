#include "protocol/delivery_books.hpp"

#include "protocol/sorted_units.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

delivery_books::delivery_books(delivery_books_limits limits, shard_set held)
    : limits_{limits}, held_{held} {
  shards_.reserve(shard_count * delivery_classes);
  for (auto at = std::size_t{0}; at < shard_count * delivery_classes; ++at)
    shards_.push_back(empty_entry(at));
}

void delivery_books::load(shard_mark mark) {
  auto& shard = of(mark.shard, mark.cls);
  std::ranges::sort(mark.acked);
  shard.loaded.insert(mark.acked.begin(), mark.acked.end());
  shard.ended = mark.sums.ended;
  sums_ += shard.ended;
  sums_.offered += shard.ended.ended();
  shard.passed = shard.read_upto = mark.seq;
  for (const auto& each : mark.sums.waiting) {
    auto& host = host_of(each.host, mark.shard);
    auto& entry = host.classes[index_of(mark.cls)];
    entry.offered_upto = mark.seq;
    entry.counted_upto = each.counted_to;
    entry.pending = each.count;
    shard.counted_upto = std::max(shard.counted_upto, each.counted_to);
    count_offered(each.host, each.count);
    touch(host, mark.cls);
  }
  shard.stored = std::move(mark);
}

void delivery_books::load(host_backlog row, std::uint8_t shard_number) {
  auto& host = host_of(row.host, shard_number);
  auto& entry = host.classes[index_of(row.cls)];
  std::ranges::sort(row.acked);
  entry.offered_upto = std::max(of(shard_number, row.cls).stored.seq, row.behind_from);
  entry.first_open = row.behind_from + 1;
  entry.settled = row.acked;
  if (row.counted_to >= entry.counted_upto) {
    entry.counted_upto = row.counted_to;
    count_offered(row.host, row.count - std::exchange(entry.pending, row.count));
  }
  entry.oldest_at = row.oldest_at;
  const auto cls = row.cls;
  entry.stored = std::move(row);
  note_stale(host, cls);
}

void delivery_books::load_exceptions(host_id host, std::uint8_t shard, std::int64_t waiting) {
  count_excepted(host, shard, waiting);
  count_offered(host, waiting);
}

/// What was counted before the start and is not offered again is owed no longer.
void delivery_books::advance(log_seq seq) {
  for (auto& shard : shards_) {
    if (!is_handed(shard.stored.shard) || shard.read_upto >= seq)
      continue;
    shard.read_upto = seq;
    if (shard.counted_upto == 0 || seq < shard.counted_upto)
      continue;
    shard.counted_upto = 0;
    for (auto* host : shard.active) // whoever has units, and none that is open
      if (!host->classes[index_of(shard.stored.cls)].first_open)
        end_leftover(*host, shard.stored.cls);
  }
}

delivery_books::host_entry& delivery_books::host_of(host_id host, std::uint8_t shard) {
  auto& entry = hosts_[host];
  entry.id = host;
  entry.shard = shard;
  return entry;
}

const delivery_books::class_entry* delivery_books::find(host_id host, delivery_class cls) const {
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? nullptr : &found->second.classes[index_of(cls)];
}

void delivery_books::touch(host_entry& host, delivery_class cls) {
  if (!std::exchange(host.classes[index_of(cls)].is_active, true))
    of(host.shard, cls).active.push_back(&host);
}

/// A row that does not count all that was offered: the mark's row does, when it is written.
void delivery_books::note_stale(host_entry& host, delivery_class cls) {
  auto& entry = host.classes[index_of(cls)];
  if (entry.stored && !entry.is_stale &&
      std::max(entry.offered_upto, entry.counted_upto) > entry.stored->counted_to) {
    entry.is_stale = true;
    of(host.shard, cls).stale.push_back(&host);
  }
}

bool delivery_books::offer(host_id id, std::uint8_t shard_number, const delivery_unit& unit) {
  auto& shard = of(shard_number, unit.cls);
  if (unit.seq <= shard.stored.seq)
    return false;
  auto& host = host_of(id, shard_number);
  auto& entry = host.classes[index_of(unit.cls)];
  const auto key = unit.key();
  const auto is_reopened = entry.reopened_from && *entry.reopened_from <= unit.seq;
  const auto is_covered = entry.stored && unit.seq <= entry.stored->behind_from;
  const auto was_listed = !shard.loaded.empty() && shard.loaded.erase(key) > 0;
  // What its row covers must be listed once the row goes, if the mark is not past it by then.
  if ((is_covered || was_listed) && !is_reopened && add_unit(entry.settled, key))
    touch(host, unit.cls);
  if (is_covered || has_unit(entry.settled, key))
    return false;
  entry.offered_upto = std::max(entry.offered_upto, unit.seq);
  if (unit.seq > entry.counted_upto) {
    ++entry.pending;
    count_offered(id, 1);
  }
  note_stale(host, unit.cls);
  if (entry.first_open)
    return true;
  entry.first_open = unit.seq;
  entry.oldest_at = unit.at;
  shard.lag_at = std::min(shard.lag_at, unit.at + limits_.lag_max);
  touch(host, unit.cls);
  return true;
}

/// Listed like what is settled, so that nobody counts or reads it again.
bool delivery_books::cancel(host_id id, std::uint8_t shard_number, const delivery_unit& unit) {
  auto& shard = of(shard_number, unit.cls);
  const auto key = unit.key();
  if (unit.seq <= shard.stored.seq)
    return true;
  auto& host = host_of(id, shard_number);
  auto& entry = host.classes[index_of(unit.cls)];
  const auto was_listed = !shard.loaded.empty() && shard.loaded.erase(key) > 0;
  const auto is_covered = was_listed || (entry.stored && unit.seq <= entry.stored->behind_from);
  if (!is_covered && !has_unit(entry.settled, key) && entry.settled.size() >= limits_.acked_max / 2)
    return false;
  touch(host, unit.cls);
  if (!add_unit(entry.settled, key) || is_covered)
    return true;
  if (unit.seq <= entry.counted_upto && entry.pending > 0)
    --entry.pending;
  else
    count_offered(id, 1);
  count_ended(id, shard, unit_outcome::cancelled, 1);
  return true;
}

void delivery_books::take(host_id id, const class_progress& news, time_point now) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end())
    return;
  auto& host = found->second;
  auto& entry = host.classes[index_of(news.cls)];
  const auto lowest = entry.first_open.value_or(entry.offered_upto + 1);
  for (const auto& each : news.settled)
    if (each.unit.seq >= lowest && add_unit(entry.settled, each.unit))
      settle(host, news.cls, each.outcome);
  entry.oldest_at = news.oldest_at.value_or(now);
  entry.rows_gone |= entry.first_open && news.gone_upto >= lowest;
  // Nothing opens again: what is settled for the books stays so, whatever a host believes.
  entry.first_open = news.first_open;
  if (!news.first_open && entry.offered_upto > news.received_upto) // what is on its way
    entry.first_open = news.received_upto + 1;
  if (entry.first_open)
    entry.first_open = std::max(*entry.first_open, lowest);
  if (entry.first_open && *entry.first_open > entry.offered_upto)
    entry.first_open.reset();
  if (!entry.first_open)
    end_leftover(host, news.cls);
  auto& shard = of(host.shard, news.cls);
  shard.is_dirty = true;
  touch(host, news.cls);
  changes_.try_emplace(id);
}

void delivery_books::take(exception_change change, std::uint8_t shard) {
  const auto host = change.host;
  if (change.is_again) {
    count_excepted(host, shard, 1);
    count_offered(host, 1);
  }
  if (change.outcome) {
    const auto waiting = excepted_.find(host);
    if (waiting == excepted_.end())
      count_offered(host, 1);
    else if (--waiting->second.waiting == 0)
      excepted_.erase(waiting);
    count_ended(host, of(shard, delivery_class::bulk), *change.outcome, 1);
  }
  changes_.try_emplace(host);
  const auto unit = change.unit;
  if (exceptions_.insert_or_assign(unit, std::move(change)).second)
    ++unwritten_[host];
}

void delivery_books::take(const host_facts& facts) {
  facts_.insert_or_assign(facts.id, facts);
}

/// A mark never goes back: a row says what is open before it.
void delivery_books::take(host_id id, std::uint8_t shard_number, const reopened_units& reopened,
                          log_seq received_upto) {
  auto& host = host_of(id, shard_number);
  auto& entry = host.classes[index_of(reopened.cls)];
  entry.offered_upto = std::max({entry.offered_upto, received_upto, reopened.from});
  entry.settled.erase(from_row(entry.settled, reopened.from), entry.settled.end());
  for (const auto& unit : reopened.excepted)
    add_unit(entry.settled, unit);
  entry.oldest_at =
      entry.first_open ? std::min(entry.oldest_at, reopened.oldest_at) : reopened.oldest_at;
  entry.first_open = std::min(entry.first_open.value_or(reopened.from), reopened.from);
  entry.reopened_from = std::min(entry.reopened_from.value_or(reopened.from), reopened.from);
  entry.pending += reopened.units;
  count_offered(id, reopened.units);
  of(shard_number, reopened.cls).is_dirty = true;
  touch(host, reopened.cls);
}

offered_before delivery_books::offered_upto(host_id host) const {
  const auto found = hosts_.find(host);
  if (found == hosts_.end())
    return {};
  const auto& classes = found->second.classes;
  return {classes[0].offered_upto, classes[1].offered_upto};
}

settled_rows delivery_books::settled_after(host_id host, const offered_before& previous) const {
  const auto of_class = [&](delivery_class cls) -> std::vector<unit_key> {
    const auto* entry = find(host, cls);
    if (!entry)
      return {};
    return {from_row(entry->settled, previous[index_of(cls)] + 1), entry->settled.end()};
  };
  return {of_class(delivery_class::direct), of_class(delivery_class::bulk)};
}

class_cursor delivery_books::cursor(host_id host, std::uint8_t shard, delivery_class cls) const {
  const auto* entry = find(host, cls);
  if (!entry || !entry->first_open)
    return {.offered_upto = handed_upto(shard, cls)};
  const auto& settled = entry->settled;
  return {.first_open = entry->first_open,
          .settled = {from_row(settled, *entry->first_open), settled.end()},
          .offered_upto = std::max(entry->offered_upto, handed_upto(shard, cls)), // cancelled too
          .open = entry->pending,
          .oldest_at = entry->oldest_at};
}

bool delivery_books::is_open(host_id host) const {
  const auto found = hosts_.find(host);
  return found != hosts_.end() && std::ranges::any_of(found->second.classes, [](const auto& entry) {
           return entry.first_open.has_value();
         });
}

bool delivery_books::has_backlog(host_id host) const {
  const auto found = hosts_.find(host);
  return found != hosts_.end() && std::ranges::any_of(found->second.classes, [](const auto& entry) {
           return entry.stored.has_value();
         });
}

bool delivery_books::has_unwritten(host_id host) const {
  return writing_.contains(host) || facts_.contains(host) || unwritten_.contains(host);
}

std::int64_t delivery_books::exceptions(host_id host) const {
  const auto found = excepted_.find(host);
  return found == excepted_.end() ? 0 : found->second.waiting;
}

std::size_t delivery_books::hosts_open() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(hosts_, [this](const auto& each) { return is_open(each.first); }));
}

std::size_t delivery_books::hosts_behind() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(hosts_, [this](const auto& each) { return has_backlog(each.first); }));
}

} // namespace trunkline
