// Which shards the books hold, and how far the log was read for each.
#include "protocol/delivery_books.hpp"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

namespace trunkline {

delivery_books::shard_entry delivery_books::empty_entry(std::size_t at) {
  auto entry = shard_entry{};
  entry.stored.shard = static_cast<std::uint8_t>(at / delivery_classes);
  entry.stored.cls = class_at(at % delivery_classes);
  return entry;
}

log_seq delivery_books::start() const {
  auto lowest = std::optional<log_seq>{};
  for (const auto& shard : shards_)
    if (is_handed(shard.stored.shard))
      lowest = std::min(lowest.value_or(shard.read_upto), shard.read_upto);
  return lowest.value_or(0);
}

/// What a shard has passed already was read for another one.
bool delivery_books::wants(std::uint8_t shard, delivery_class cls, log_seq seq) const {
  return is_handed(shard) && seq > of(shard, cls).read_upto;
}

log_seq delivery_books::handed_upto(std::uint8_t shard, delivery_class cls) const {
  return of(shard, cls).read_upto;
}

/// What units came to there, and what is pending, counts where they go.
std::vector<host_id> delivery_books::forget(const shard_set& left) {
  assert(collected_.empty() && writing_.empty());
  auto gone = std::vector<host_id>{};
  for (const auto& [id, host] : hosts_)
    if (left[host.shard]) {
      gone.push_back(id);
      for (const auto& entry : host.classes)
        sums_ -= {.offered = entry.pending, .pending = entry.pending};
    }
  for (const auto& [id, excepted] : excepted_)
    if (left[excepted.shard]) {
      if (!hosts_.contains(id))
        gone.push_back(id);
      sums_ -= {.offered = excepted.waiting, .pending = excepted.waiting};
    }
  for (auto at = std::size_t{0}; at < shards_.size(); ++at)
    if (auto& shard = shards_[at]; left[shard.stored.shard]) {
      sums_ -= shard.ended;
      sums_.offered -= shard.ended.ended();
      shard = empty_entry(at);
    }
  for (const auto id : gone) {
    hosts_.erase(id);
    excepted_.erase(id);
    changes_.erase(id);
  }
  held_ &= ~left;
  closed_ &= ~left;
  return gone;
}

} // namespace trunkline
