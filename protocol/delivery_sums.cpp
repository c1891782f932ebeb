#include "protocol/delivery_books.hpp"

#include <utility>

namespace trunkline {

void delivery_books::count_offered(host_id host, std::int64_t units) {
  sums_.offered += units;
  sums_.pending += units;
  changes_[host].offered += units;
}

void delivery_books::count_excepted(host_id host, std::uint8_t shard, std::int64_t units) {
  auto& waiting = excepted_[host];
  waiting.shard = shard;
  waiting.waiting += units;
}

void delivery_books::count_ended(host_id host, shard_entry& shard, unit_outcome outcome,
                                 std::int64_t units) {
  const auto sum = sum_of(outcome);
  sums_.*sum += units;
  sums_.pending -= units;
  changes_[host].*sum += units;
  shard.ended.*sum += units;
  shard.is_dirty = true;
}

/// Units that no list names: they are written when a mark has passed them.
void delivery_books::count_unlisted(host_id host, shard_entry& shard, unit_outcome outcome,
                                    std::int64_t units, log_seq upto) {
  count_ended(host, shard, outcome, units);
  if (upto > shard.stored.seq)
    shard.unlisted[upto].*sum_of(outcome) += units;
}

/// A unit that is not known to be pending was owed only since its host read the log.
void delivery_books::settle(host_entry& host, delivery_class cls, unit_outcome outcome) {
  auto& entry = host.classes[index_of(cls)];
  if (entry.pending > 0)
    --entry.pending;
  else
    count_offered(host.id, 1);
  if (outcome == unit_outcome::excepted)
    count_excepted(host.id, host.shard, 1);
  else
    count_ended(host.id, of(host.shard, cls), outcome, 1);
}

/// Nothing is open: what is still counted was no longer owed when its host read the log. Not yet
/// while some of it has not been read again since the start.
void delivery_books::end_leftover(host_entry& host, delivery_class cls) {
  auto& entry = host.classes[index_of(cls)];
  if (handed_upto(host.shard, cls) < entry.counted_upto)
    return;
  const auto outcome = entry.rows_gone ? unit_outcome::expired : unit_outcome::cancelled;
  if (entry.pending > 0)
    count_unlisted(host.id, of(host.shard, cls), outcome, std::exchange(entry.pending, 0),
                   entry.offered_upto);
  entry.rows_gone = false;
  entry.reopened_from.reset();
}

std::vector<host_change> delivery_books::take_changes() {
  auto changes = std::vector<host_change>{};
  changes.reserve(changes_.size());
  for (const auto& [id, change] : std::exchange(changes_, {})) {
    auto& each = changes.emplace_back(
        host_change{.host = id, .change = change, .exceptions = exceptions(id)});
    each.change.pending = each.exceptions;
    for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
      const auto* entry = find(id, cls);
      if (!entry)
        continue;
      each.change.pending += entry->pending;
      if (entry->first_open)
        each.oldest_at = std::min(each.oldest_at.value_or(entry->oldest_at), entry->oldest_at);
    }
  }
  return changes;
}

} // namespace trunkline
