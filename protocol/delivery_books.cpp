#include "protocol/delivery_books.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

std::vector<unit_key> after(const std::set<unit_key>& settled, log_seq seq) {
  return {settled.lower_bound({seq + 1, {}}), settled.end()};
}

} // namespace

delivery_books::delivery_books(delivery_books_limits limits) : limits_{limits} {
  shards_.resize(shards * delivery_classes);
  for (auto at = std::size_t{0}; at < shards_.size(); ++at) {
    shards_[at].stored.shard = static_cast<std::uint8_t>(at / delivery_classes);
    shards_[at].stored.cls = class_at(at % delivery_classes);
  }
}

void delivery_books::load(shard_mark mark) {
  auto& shard = of(mark.shard, mark.cls);
  std::ranges::sort(mark.acked);
  shard.loaded.insert(mark.acked.begin(), mark.acked.end());
  shard.stored = std::move(mark);
}

void delivery_books::load(host_backlog row, std::uint8_t shard) {
  auto& entry = entry_of(row.host, shard, row.cls);
  const auto mark = of(shard, row.cls).stored.seq;
  std::ranges::sort(row.acked);
  entry.offered_upto = std::max(mark, row.behind_from);
  entry.first_open = row.behind_from + 1;
  entry.settled.insert(row.acked.begin(), row.acked.end());
  entry.open = row.count;
  entry.oldest_at = row.oldest_at;
  entry.stored = std::move(row);
}

log_seq delivery_books::start() const {
  auto lowest = shards_.front().stored.seq;
  for (const auto& shard : shards_)
    lowest = std::min(lowest, shard.stored.seq);
  return lowest;
}

delivery_books::class_entry& delivery_books::entry_of(host_id host, std::uint8_t shard,
                                                      delivery_class cls) {
  auto& entry = hosts_[host];
  entry.shard = shard;
  for (const auto index : {std::size_t{0}, std::size_t{1}})
    of(shard, class_at(index)).hosts.insert(host);
  return entry.classes[index_of(cls)];
}

bool delivery_books::offer(host_id host, std::uint8_t shard_number, const delivery_unit& unit) {
  auto& shard = of(shard_number, unit.cls);
  if (unit.seq <= shard.stored.seq)
    return false;
  auto& entry = entry_of(host, shard_number, unit.cls);
  if (entry.stored && unit.seq <= entry.stored->behind_from)
    return false;
  if (shard.loaded.erase(unit.key()) > 0)
    entry.settled.insert(unit.key());
  if (entry.settled.contains(unit.key()))
    return false;
  entry.offered_upto = std::max(entry.offered_upto, unit.seq);
  const auto is_counted = entry.stored && unit.seq <= entry.stored->counted_to;
  entry.open += !is_counted;
  if (!entry.first_open) {
    entry.first_open = unit.seq;
    entry.oldest_at = unit.at;
  }
  return true;
}

void delivery_books::take(host_id host, const class_progress& news, time_point now) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end())
    return;
  auto& entry = found->second.classes[index_of(news.cls)];
  entry.settled.insert(news.settled.begin(), news.settled.end());
  entry.open = news.open;
  entry.oldest_at = news.oldest_at.value_or(now);
  // Nothing opens again: what is settled for the books stays so, whatever a host believes.
  const auto lowest = entry.first_open.value_or(entry.offered_upto + 1);
  entry.first_open = news.first_open;
  if (!news.first_open && entry.offered_upto > news.received_upto) // what is on its way
    entry.first_open = news.received_upto + 1;
  if (entry.first_open)
    entry.first_open = std::max(*entry.first_open, lowest);
}

void delivery_books::take(exception_change change) {
  exceptions_.insert_or_assign(change.unit, std::move(change));
}

void delivery_books::take(const host_facts& facts) {
  facts_.insert_or_assign(facts.id, facts);
}

offered_before delivery_books::offered_upto(host_id host) const {
  const auto found = hosts_.find(host);
  if (found == hosts_.end())
    return {};
  const auto& classes = found->second.classes;
  return {classes[0].offered_upto, classes[1].offered_upto};
}

class_cursor delivery_books::cursor(host_id host, std::uint8_t shard, delivery_class cls) const {
  const auto found = hosts_.find(host);
  const auto* entry = found == hosts_.end() ? nullptr : &found->second.classes[index_of(cls)];
  if (!entry || !entry->first_open)
    return {.offered_upto = std::max(read_upto_, of(shard, cls).stored.seq)};
  return {.first_open = entry->first_open,
          .settled = after(entry->settled, *entry->first_open - 1),
          .offered_upto = entry->offered_upto,
          .open = entry->open,
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
  return writing_.contains(host) || facts_.contains(host) ||
         std::ranges::any_of(exceptions_,
                             [host](const auto& each) { return each.second.host == host; });
}

std::size_t delivery_books::hosts_open() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(hosts_, [this](const auto& each) { return is_open(each.first); }));
}

std::size_t delivery_books::hosts_behind() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(hosts_, [this](const auto& each) { return has_backlog(each.first); }));
}

void delivery_books::collect_shard(shard_entry& shard, time_point now, bool rows_for_all,
                                   checkpoint& into) {
  const auto& old = shard.stored;
  auto rows = std::vector<host_backlog>{};
  auto gone = std::vector<std::pair<host_id, delivery_class>>{};
  auto mark = shard_mark{old.shard, old.cls, std::max(read_upto_, old.seq), {}};
  auto kept = std::vector<const class_entry*>{}; // without a row
  auto is_due = mark.seq - old.seq >= limits_.idle_rows_max;
  for (const auto host : shard.hosts) {
    const auto& entry = hosts_.at(host).classes[index_of(old.cls)];
    const auto lags = entry.first_open && (rows_for_all || now - entry.oldest_at > limits_.lag_max);
    const auto holds_row = entry.stored && entry.first_open && *entry.first_open <= old.seq;
    if (lags || holds_row) {
      auto row = host_backlog{.host = host,
                              .cls = old.cls,
                              .behind_from = *entry.first_open - 1,
                              .acked = after(entry.settled, *entry.first_open - 1),
                              .count = entry.open,
                              .counted_to = entry.offered_upto,
                              .oldest_at = entry.oldest_at};
      if (!entry.stored || entry.is_doubtful || entry.stored->behind_from != row.behind_from ||
          entry.stored->acked != row.acked)
        rows.push_back(std::move(row));
      continue;
    }
    if (entry.stored)
      gone.emplace_back(host, old.cls);
    if (entry.first_open)
      mark.seq = std::min(mark.seq, *entry.first_open - 1);
    kept.push_back(&entry);
  }
  for (const auto* entry : kept) {
    const auto open = after(entry->settled, mark.seq);
    mark.acked.insert(mark.acked.end(), open.begin(), open.end());
  }
  const auto unread = after(shard.loaded, mark.seq);
  mark.acked.insert(mark.acked.end(), unread.begin(), unread.end());
  std::ranges::sort(mark.acked);
  if (mark.acked.size() > limits_.acked_max && !rows_for_all)
    return collect_shard(shard, now, true, into);
  // A mark that moves over nothing but rows of others is not worth a row.
  for (const auto host : shard.hosts) {
    const auto& settled = hosts_.at(host).classes[index_of(old.cls)].settled;
    const auto first = settled.upper_bound({old.seq + 1, {}});
    is_due = is_due || (first != settled.end() && first->seq <= mark.seq);
  }
  is_due = is_due || mark.acked != old.acked;
  if (is_due && mark != old)
    into.marks.push_back(std::move(mark));
  std::ranges::move(rows, std::back_inserter(into.backlogs));
  std::ranges::move(gone, std::back_inserter(into.caught_up));
}

checkpoint delivery_books::collect(time_point now) {
  auto made = checkpoint{};
  for (auto& shard : shards_) {
    if (shard.hosts.empty() && read_upto_ - shard.stored.seq < limits_.idle_rows_max)
      continue;
    collect_shard(shard, now, false, made);
  }
  for (auto& [unit, change] : std::exchange(exceptions_, {})) {
    writing_.insert(change.host);
    made.exceptions.push_back(std::move(change));
  }
  for (auto& [host, facts] : std::exchange(facts_, {})) {
    writing_.insert(host);
    made.facts.push_back(facts);
  }
  return made;
}

void delivery_books::prune(shard_entry& shard, delivery_class cls) {
  for (auto host = shard.hosts.begin(); host != shard.hosts.end();) {
    auto& whole = hosts_.at(*host);
    auto& entry = whole.classes[index_of(cls)];
    auto upto = shard.stored.seq;
    if (entry.first_open)
      upto = std::min(upto, *entry.first_open - 1);
    entry.settled.erase(entry.settled.begin(), entry.settled.lower_bound({upto + 1, {}}));
    const auto is_done = std::ranges::all_of(whole.classes, [](const class_entry& each) {
      return !each.first_open && !each.stored && each.settled.empty();
    });
    if (!is_done) {
      ++host;
      continue;
    }
    const auto other = class_at(1 - index_of(cls));
    of(whole.shard, other).hosts.erase(*host);
    hosts_.erase(*host);
    host = shard.hosts.erase(host);
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
}

void delivery_books::committed(const checkpoint& written) {
  writing_.clear();
  for (const auto& mark : written.marks) {
    auto& shard = of(mark.shard, mark.cls);
    shard.stored = mark;
    shard.loaded.erase(shard.loaded.begin(), shard.loaded.lower_bound({mark.seq + 1, {}}));
  }
  for (const auto& row : written.backlogs)
    note_stored(row.host, row.cls, row, false);
  for (const auto& [host, cls] : written.caught_up)
    note_stored(host, cls, std::nullopt, false);
  for (auto& shard : shards_)
    if (!shard.hosts.empty())
      prune(shard, shard.stored.cls);
}

void delivery_books::failed(const checkpoint& lost) {
  writing_.clear();
  for (const auto& row : lost.backlogs)
    note_stored(row.host, row.cls, row, true);
  for (const auto& [host, cls] : lost.caught_up)
    note_stored(host, cls, std::nullopt, true);
  for (const auto& change : lost.exceptions)
    exceptions_.try_emplace(change.unit, change); // what came meanwhile is newer
  for (const auto& facts : lost.facts)
    facts_.try_emplace(facts.id, facts);
}

} // namespace trunkline
