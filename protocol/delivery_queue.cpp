#include "protocol/delivery_queue.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

std::optional<log_seq> delivery_queue::class_queue::first_open() const {
  if (open.empty())
    return left;
  return std::min(left.value_or(open.front().key.seq), open.front().key.seq);
}

bool delivery_queue::class_queue::is_known(const unit_key& key) const {
  const auto found = std::ranges::lower_bound(open, key, {}, &open_unit::key);
  return (found != open.end() && found->key == key) || settled.contains(key);
}

void delivery_queue::class_queue::note_settled(const unit_key& key) {
  const auto found = std::ranges::lower_bound(open, key, {}, &open_unit::key);
  if (found != open.end() && found->key == key)
    open.erase(found);
  if (!begun || key.seq >= first_open().value_or(received_upto + 1))
    settled.insert(key);
  trim();
}

/// Only what comes after something open is listed.
void delivery_queue::class_queue::trim() {
  if (!begun || (settled.empty() && held.empty()))
    return;
  const auto begin = unit_key{first_open().value_or(received_upto + 1), {}};
  settled.erase(settled.begin(), settled.lower_bound(begin));
  held.erase(held.begin(), held.lower_bound(begin));
}

void delivery_queue::begin(delivery_class cls, const class_cursor& start, log_seq earlier_upto) {
  auto& queue = of(cls);
  queue.begun = true;
  queue.settled.insert(start.settled.begin(), start.settled.end());
  const auto offered_upto = std::max(queue.received_upto, start.offered_upto);
  // Everything open up to here is in the log alone; what follows is here, but for a gap, or on its
  // way.
  const auto elsewhere = queue.joined_at.value_or(offered_upto);
  queue.old_upto = std::max(elsewhere, earlier_upto);
  const auto first = start.first_open.value_or(start.offered_upto + 1);
  if (!queue.left && first > elsewhere) {
    if (!start.first_open)
      queue.received_upto = offered_upto;
    return hold_old(cls);
  }
  clear_waiting(cls);
  queue.unsure = !start.first_open;
  queue.left = first;
  queue.left_at = start.oldest_at;
  queue.received_upto = queue.counted_upto = offered_upto;
  queue.counted = std::max<std::int64_t>(start.open, 1);
}

void delivery_queue::resume(delivery_class cls, const class_cursor& now) {
  auto& queue = of(cls);
  if (!std::exchange(queue.unsure, false) || !queue.left)
    return;
  queue.settled.insert(now.settled.begin(), now.settled.end());
  queue.left = std::max(*queue.left, now.first_open.value_or(now.offered_upto + 1));
  queue.counted = std::max(queue.counted, now.open - static_cast<std::int64_t>(queue.open.size()));
  if (*queue.left > queue.counted_upto) {
    queue.left.reset();
    queue.counted = 0;
  }
}

void delivery_queue::reopen(delivery_class cls, log_seq from, std::int64_t units,
                            std::optional<time_point> oldest_at) {
  auto& queue = of(cls);
  leave_to_log(cls, from);
  queue.counted += units;
  queue.settled.erase(queue.settled.lower_bound({from, {}}), queue.settled.end());
  if (oldest_at)
    queue.left_at = std::min(queue.left_at.value_or(*oldest_at), *oldest_at);
}

void delivery_queue::forget_waiting() {
  for (const auto cls : {delivery_class::direct, delivery_class::bulk})
    if (const auto first = of(cls).first_open()) {
      leave_to_log(cls, *first);
      of(cls).unsure = true;
    }
}

/// Everything open, and everything from `from` on, is read from the log; but for what is out.
void delivery_queue::leave_to_log(delivery_class cls, log_seq from) {
  auto& queue = of(cls);
  const auto first = std::min(queue.first_open().value_or(from), from);
  const auto oldest = position(cls).oldest_at;
  queue.counted += static_cast<std::int64_t>(queue.waiting);
  clear_waiting(cls);
  queue.left = first;
  queue.left_at = oldest;
  queue.counted_upto = std::max(queue.counted_upto, queue.received_upto);
  queue.refilling = queue.stalled = false;
  ++queue.round;
}

void delivery_queue::count(class_queue& in, const delivery_unit& unit) {
  if (!in.left) {
    in.left = unit.seq;
    in.left_at = unit.at;
  }
  in.counted_upto = unit.seq;
  ++in.counted;
}

/// What was offered and did not come is in the log.
void delivery_queue::note_gap(class_queue& in, log_seq previous, std::optional<time_point> at) {
  if (!in.begun && !in.joined_at) {
    in.joined_at = in.received_upto = previous;
    return;
  }
  if (previous <= in.received_upto)
    return;
  if (!in.left) {
    in.left = in.received_upto + 1;
    in.left_at = at;
  }
  in.unsure = true;
  in.received_upto = in.counted_upto = previous;
  ++in.counted;
}

void delivery_queue::offer(const offered_before& previous, std::span<const delivery_unit> units,
                           bool may_keep) {
  const auto at = units.empty() ? std::nullopt : std::optional{units.front().at};
  for (auto index = std::size_t{0}; index < delivery_classes; ++index)
    note_gap(classes_[index], previous[index], at);
  const auto known = std::array{classes_[0].received_upto, classes_[1].received_upto};
  for (const auto& unit : units) {
    if (unit.seq <= known[index_of(unit.cls)])
      continue;
    auto& queue = of(unit.cls);
    queue.received_upto = unit.seq;
    replace(unit);
    if (!may_keep || queue.left || !has_room(queue) || !keep(queue, unit))
      count(queue, unit);
  }
}

void delivery_queue::note_settled(delivery_class cls, std::span<const unit_key> units) {
  auto& queue = of(cls);
  for (const auto& each : units)
    if (each.seq > queue.received_upto)
      queue.settled.insert(each);
}

std::optional<refill_wish> delivery_queue::wish(delivery_class cls) {
  auto& queue = of(cls);
  if (!queue.left || queue.unsure || queue.refilling || queue.stalled ||
      queue.waiting > limits_.refill_at || !has_room(queue))
    return std::nullopt;
  queue.refilling = true;
  return refill_wish{cls, *queue.left, queue.counted_upto, queue.round};
}

void delivery_queue::refilled(const refill_wish& wish, std::span<const delivery_unit> units,
                              log_seq read_upto, log_seq gone_upto) {
  auto& queue = of(wish.cls);
  if (wish.round != queue.round)
    return;
  queue.refilling = false;
  queue.gone_upto = std::max(queue.gone_upto, gone_upto);
  const auto before = queue.waiting;
  for (const auto& unit : units)
    if (!queue.is_known(unit.key()))
      replace(unit);
  auto [left, left_at] = keep_all(queue, units);
  if (!left && read_upto < queue.counted_upto) {
    left = read_upto + 1;
    left_at = queue.left_at;
  }
  queue.stalled = left && queue.waiting == before && left == queue.left;
  queue.left = left;
  queue.left_at = left_at;
  if (!left)
    queue.counted = 0;
  queue.trim();
}

bool delivery_queue::is_open(const delivery_unit& unit) const {
  const auto& queue = of(unit.cls);
  const auto first = queue.first_open();
  return first && unit.seq >= *first && unit.seq <= queue.received_upto &&
         !queue.settled.contains(unit.key());
}

class_progress delivery_queue::position(delivery_class cls) const {
  const auto& queue = of(cls);
  auto oldest = queue.left_at;
  if (!queue.open.empty())
    oldest = std::min(oldest.value_or(queue.open.front().at), queue.open.front().at);
  return {.cls = cls,
          .received_upto = queue.received_upto,
          .first_open = queue.first_open(),
          .open = static_cast<std::int64_t>(queue.open.size()) + queue.counted,
          .oldest_at = oldest,
          .gone_upto = queue.gone_upto};
}

} // namespace trunkline
