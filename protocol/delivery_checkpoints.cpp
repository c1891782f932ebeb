#include "protocol/delivery_books.hpp"
#include "protocol/sorted_units.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

std::vector<unit_key> after(const std::vector<unit_key>& settled, log_seq seq) {
  return {from_row(settled, seq + 1), settled.end()};
}

} // namespace

host_backlog delivery_books::row_of(const host_entry& host, delivery_class cls) {
  const auto& entry = host.classes[index_of(cls)];
  return {.host = host.id,
          .cls = cls,
          .behind_from = *entry.first_open - 1,
          .acked = after(entry.settled, *entry.first_open - 1),
          .count = entry.pending,
          .counted_to = std::max(entry.offered_upto, entry.counted_upto),
          .oldest_at = entry.oldest_at};
}

/// Tells whether the row that the database has says where the host is.
bool delivery_books::is_written(const class_entry& entry) {
  return entry.stored && !entry.is_doubtful && entry.first_open &&
         entry.stored->behind_from == *entry.first_open - 1 &&
         std::equal(from_row(entry.settled, *entry.first_open), entry.settled.cend(),
                    entry.stored->acked.begin(), entry.stored->acked.end());
}

/// Counts in the mark's row what no row of a host counts: of hosts that have not moved since theirs
/// was written, and of those without one, of which the mark may have passed what nobody found.
void delivery_books::count_waiting(shard_entry& shard, const std::vector<host_entry*>& kept,
                                   shard_mark& mark, std::vector<host_backlog>& rows) const {
  std::erase_if(shard.stale, [&](host_entry* host) {
    auto& entry = host->classes[index_of(mark.cls)];
    entry.is_stale =
        entry.stored && std::max(entry.offered_upto, entry.counted_upto) > entry.stored->counted_to;
    return !entry.is_stale;
  });
  for (const auto* host : kept) {
    const auto& entry = host->classes[index_of(mark.cls)];
    if (entry.pending > 0 && mark.sums.waiting.size() < limits_.waiting_max)
      mark.sums.waiting.push_back(
          {host->id, entry.pending, std::max(entry.offered_upto, entry.counted_upto)});
  }
  for (const auto* host : shard.stale) {
    const auto& entry = host->classes[index_of(mark.cls)];
    if (!is_written(entry) || std::ranges::find(kept, host) != kept.end())
      continue; // it is written anew, or goes
    const auto row = row_of(*host, mark.cls);
    if (mark.sums.waiting.size() < limits_.waiting_max)
      mark.sums.waiting.push_back({row.host, row.count, row.counted_to});
    else
      rows.push_back(row);
  }
  std::ranges::sort(mark.sums.waiting, {}, &waiting_count::host);
}

void delivery_books::collect_shard(shard_entry& shard, time_point now, bool rows_for_all,
                                   checkpoint& into) {
  const auto& old = shard.stored;
  auto rows = std::vector<host_backlog>{};
  auto gone = std::vector<std::pair<host_id, delivery_class>>{};
  auto mark = shard_mark{
      .shard = old.shard, .cls = old.cls, .seq = std::max(shard.read_upto, shard.passed)};
  auto kept = std::vector<host_entry*>{}; // without a row
  shard.lag_at = time_point::max();
  for (auto* host : shard.active) {
    auto& entry = host->classes[index_of(old.cls)];
    if (!entry.first_open)
      end_leftover(*host, old.cls);
    const auto lags = entry.first_open && (rows_for_all || now - entry.oldest_at > limits_.lag_max);
    if (lags || (entry.first_open && *entry.first_open <= shard.passed)) {
      if (!is_written(entry))
        rows.push_back(row_of(*host, old.cls));
      continue;
    }
    if (entry.stored)
      gone.emplace_back(host->id, old.cls);
    if (entry.first_open) {
      mark.seq = std::min(mark.seq, *entry.first_open - 1);
      shard.lag_at = std::min(shard.lag_at, entry.oldest_at + limits_.lag_max);
    }
    kept.push_back(host);
  }
  // A mark that moves over nothing but rows of others is not worth a row. Where a row goes, what
  // the mark's row counts of that host goes as well.
  auto is_due = shard.is_doubtful || !gone.empty() || mark.seq - old.seq >= limits_.idle_rows_max;
  for (const auto* host : kept) {
    const auto& settled = host->classes[index_of(old.cls)].settled;
    const auto open = from_row(settled, mark.seq + 1);
    mark.acked.insert(mark.acked.end(), open, settled.end());
    is_due = is_due || from_row(settled, old.seq + 1) != open;
  }
  mark.acked.insert(mark.acked.end(), shard.loaded.lower_bound({mark.seq + 1, {}}),
                    shard.loaded.end());
  std::ranges::sort(mark.acked);
  if (mark.acked.size() > limits_.acked_max && !rows_for_all)
    return collect_shard(shard, now, true, into);
  shard.is_dirty = false;
  mark.sums.ended = shard.ended;
  for (auto each = shard.unlisted.upper_bound(mark.seq); each != shard.unlisted.end(); ++each)
    mark.sums.ended -= each->second;
  is_due = is_due || mark.acked != old.acked || mark.sums.ended != old.sums.ended;
  if (is_due)
    count_waiting(shard, kept, mark, rows);
  if (is_due && (shard.is_doubtful || mark != old)) {
    shard.passed = mark.seq;
    into.marks.push_back(std::move(mark));
  }
  std::ranges::move(rows, std::back_inserter(into.backlogs));
  std::ranges::move(gone, std::back_inserter(into.caught_up));
  collected_.push_back(&shard);
}

checkpoint delivery_books::collect(time_point now) {
  auto made = checkpoint{};
  collected_.clear();
  for (auto& shard : shards_)
    if (shard.is_dirty || shard.lag_at < now ||
        shard.read_upto - shard.stored.seq >= limits_.idle_rows_max)
      collect_shard(shard, now, false, made);
  for (auto& [unit, change] : std::exchange(exceptions_, {})) {
    writing_.insert(change.host);
    made.exceptions.push_back(std::move(change));
  }
  unwritten_.clear();
  for (auto& [host, facts] : std::exchange(facts_, {})) {
    writing_.insert(host);
    made.facts.push_back(facts);
  }
  return made;
}

/// Forgets what the database makes superfluous.
void delivery_books::prune(shard_entry& shard) {
  const auto cls = shard.stored.cls;
  shard.unlisted.erase(shard.unlisted.begin(), shard.unlisted.upper_bound(shard.stored.seq));
  const auto is_done = [](const class_entry& entry) {
    return !entry.first_open && !entry.stored && entry.settled.empty() && entry.pending == 0;
  };
  for (auto at = std::size_t{0}; at < shard.active.size();) {
    auto& host = *shard.active[at];
    auto& entry = host.classes[index_of(cls)];
    const auto upto =
        std::min(shard.stored.seq, entry.first_open.value_or(shard.stored.seq + 1) - 1);
    entry.settled.erase(entry.settled.begin(), from_row(entry.settled, upto + 1));
    if (!is_done(entry) && !is_written(entry)) {
      ++at;
      continue;
    }
    entry.is_active = false;
    shard.active[at] = shard.active.back();
    shard.active.pop_back();
    if (!std::ranges::all_of(host.classes, is_done))
      continue;
    for (const auto each : {delivery_class::direct, delivery_class::bulk}) {
      std::erase(of(host.shard, each).active, &host);
      std::erase(of(host.shard, each).stale, &host);
    }
    hosts_.erase(host_id{host.id});
  }
}

void delivery_books::note_stored(host_id host, delivery_class cls, std::optional<host_backlog> row,
                                 bool is_doubtful) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end())
    return;
  auto& entry = found->second.classes[index_of(cls)];
  entry.is_doubtful = is_doubtful;
  if (row || !is_doubtful)
    entry.stored = std::move(row);
  if (is_doubtful)
    of(found->second.shard, cls).is_dirty = true;
  touch(found->second, cls);
  note_stale(found->second, cls);
}

void delivery_books::committed(const checkpoint& written) {
  writing_.clear();
  for (const auto& mark : written.marks) {
    auto& shard = of(mark.shard, mark.cls);
    shard.stored = mark;
    shard.is_doubtful = false;
    shard.loaded.erase(shard.loaded.begin(), shard.loaded.lower_bound({mark.seq + 1, {}}));
  }
  for (const auto& row : written.backlogs)
    note_stored(row.host, row.cls, row, false);
  for (const auto& [host, cls] : written.caught_up)
    note_stored(host, cls, std::nullopt, false);
  for (auto* shard : std::exchange(collected_, {}))
    prune(*shard);
}

void delivery_books::failed(const checkpoint& lost) {
  writing_.clear();
  collected_.clear();
  for (const auto& mark : lost.marks) {
    auto& shard = of(mark.shard, mark.cls);
    shard.is_doubtful = shard.is_dirty = true;
  }
  for (const auto& row : lost.backlogs)
    note_stored(row.host, row.cls, row, true);
  for (const auto& [host, cls] : lost.caught_up)
    note_stored(host, cls, std::nullopt, true);
  for (const auto& change : lost.exceptions)
    if (exceptions_.try_emplace(change.unit, change).second) // what came meanwhile is newer
      ++unwritten_[change.host];
  for (const auto& facts : lost.facts)
    facts_.try_emplace(facts.id, facts);
}

} // namespace trunkline
