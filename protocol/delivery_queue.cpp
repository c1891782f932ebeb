#include "protocol/delivery_queue.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

void delivery_queue::begin(delivery_class cls, const class_cursor& start) {
  auto& queue = of(cls);
  queue.begun = true;
  queue.settled.insert(start.settled.begin(), start.settled.end());
  const auto offered_upto = std::max(queue.received_upto, start.offered_upto);
  // Everything open up to here is in the log alone; what follows is here, but for a gap, or on its
  // way.
  const auto elsewhere = queue.joined_at.value_or(offered_upto);
  const auto first = start.first_open.value_or(start.offered_upto + 1);
  if (!queue.left && first > elsewhere) {
    if (!start.first_open)
      queue.received_upto = offered_upto;
    return;
  }
  queue.lanes.clear();
  queue.waiting = 0;
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
  if (*queue.left > queue.counted_upto) {
    queue.left.reset();
    queue.counted = 0;
  }
}

bool delivery_queue::is_known(const class_queue& in, const delivery_unit& unit) const {
  if (in.settled.contains(unit.key()) || out_.contains(unit.key()))
    return true;
  const auto key = lane_of(unit);
  return std::ranges::any_of(in.lanes, [&](const lane& each) {
    return each.key == key && std::ranges::any_of(each.units, [&](const queued_unit& queued) {
             return queued.unit.seq == unit.seq;
           });
  });
}

delivery_queue::lane* delivery_queue::find_lane(class_queue& in, const lane_key& key) {
  const auto found = std::ranges::find(in.lanes, key, &lane::key);
  return found == in.lanes.end() ? nullptr : &*found;
}

/// Puts the unit behind the others of its lane; false when there is no room.
bool delivery_queue::keep(class_queue& in, const delivery_unit& unit) {
  if (in.waiting >= limits_.references_max)
    return false;
  auto* found = find_lane(in, lane_of(unit));
  if (found && found->units.size() >= limits_.lane_max)
    return false;
  if (!found)
    found = &in.lanes.emplace_back(lane{.key = lane_of(unit), .units = {}});
  found->units.push_back({.unit = unit});
  ++in.waiting;
  return true;
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
    const auto has_room = !queue.left && queue.settled.size() < limits_.acked_max;
    if (!may_keep || !has_room || !keep(queue, unit))
      count(queue, unit);
  }
}

std::optional<queued_unit> delivery_queue::take_from(class_queue& in) {
  const auto free =
      std::ranges::find_if(in.lanes, [&](const lane& each) { return !busy_.contains(each.key); });
  if (free == in.lanes.end())
    return std::nullopt;
  auto taken = std::move(free->units.front());
  free->units.pop_front();
  --in.waiting;
  in.stalled = false;
  busy_.insert(free->key);
  out_.emplace(taken.unit.key(), taken.unit);
  if (free->units.empty())
    in.lanes.erase(free);
  else
    in.lanes.splice(in.lanes.end(), in.lanes, free);
  return taken;
}

bool delivery_queue::can_take() const {
  return std::ranges::any_of(classes_, [this](const class_queue& queue) {
    return std::ranges::any_of(queue.lanes,
                               [this](const lane& each) { return !busy_.contains(each.key); });
  });
}

std::optional<queued_unit> delivery_queue::take_next() {
  auto& direct = of(delivery_class::direct);
  auto& bulk = of(delivery_class::bulk);
  if (direct_in_a_row_ >= limits_.direct_share) {
    direct_in_a_row_ = 0;
    if (auto taken = take_from(bulk))
      return taken;
  }
  if (auto taken = take_from(direct)) {
    ++direct_in_a_row_;
    return taken;
  }
  direct_in_a_row_ = 0;
  return take_from(bulk);
}

void delivery_queue::settle(const delivery_unit& unit) {
  auto& queue = of(unit.cls);
  if (out_.erase(unit.key()) > 0)
    busy_.erase(lane_of(unit));
  queue.stalled = false;
  queue.settled.insert(unit.key());
  const auto open = first_open(queue, unit.cls);
  if (!open)
    return queue.settled.clear();
  queue.settled.erase(queue.settled.begin(), queue.settled.lower_bound({*open, {}}));
}

void delivery_queue::put_back(queued_unit unit) {
  auto& queue = of(unit.unit.cls);
  out_.erase(unit.unit.key());
  busy_.erase(lane_of(unit.unit));
  if (auto* found = find_lane(queue, lane_of(unit.unit))) {
    found->units.push_front(std::move(unit));
  } else {
    const auto key = lane_of(unit.unit);
    queue.lanes.emplace_back(lane{.key = key, .units = {}}).units.push_back(std::move(unit));
  }
  ++queue.waiting;
}

template <class Predicate>
std::vector<queued_unit> delivery_queue::take_heads(Predicate is_wanted) {
  auto taken = std::vector<queued_unit>{};
  for (auto& queue : classes_)
    for (auto each = queue.lanes.begin(); each != queue.lanes.end();) {
      if (is_wanted(each->units.front())) {
        taken.push_back(std::move(each->units.front()));
        each->units.pop_front();
        --queue.waiting;
        queue.stalled = false;
      }
      each = each->units.empty() ? queue.lanes.erase(each) : std::next(each);
    }
  return taken;
}

std::vector<queued_unit> delivery_queue::take_failed_before(std::uint64_t sent) {
  return take_heads(
      [sent](const queued_unit& head) { return head.failed_sent != 0 && head.failed_sent < sent; });
}

std::vector<queued_unit> delivery_queue::take_often_failed(std::int64_t failures) {
  return take_heads([failures](const queued_unit& head) { return head.own_failures >= failures; });
}

std::optional<refill_wish> delivery_queue::wish(delivery_class cls) {
  auto& queue = of(cls);
  if (!queue.left || queue.unsure || queue.refilling || queue.stalled ||
      queue.waiting > limits_.refill_at || queue.settled.size() >= limits_.acked_max)
    return std::nullopt;
  queue.refilling = true;
  return refill_wish{cls, *queue.left, queue.counted_upto};
}

void delivery_queue::refilled(const refill_wish& wish, std::span<const delivery_unit> units,
                              log_seq read_upto) {
  auto& queue = of(wish.cls);
  queue.refilling = false;
  auto left = std::optional<log_seq>{};
  auto left_at = std::optional<time_point>{};
  auto full = std::set<lane_key>{};
  const auto before = queue.waiting;
  for (const auto& unit : units) {
    if (is_known(queue, unit))
      continue;
    if (!full.contains(lane_of(unit)) && keep(queue, unit)) {
      queue.counted = std::max<std::int64_t>(queue.counted - 1, 0);
      continue;
    }
    full.insert(lane_of(unit)); // what comes after it in its lane must wait as well
    if (!left) {
      left = unit.seq;
      left_at = unit.at;
    }
    if (queue.waiting >= limits_.references_max)
      break;
  }
  if (!left && read_upto < queue.counted_upto) {
    left = read_upto + 1;
    left_at = queue.left_at;
  }
  queue.stalled = left && queue.waiting == before && left == queue.left;
  queue.left = left;
  queue.left_at = left_at;
  if (!left)
    queue.counted = 0;
}

std::optional<log_seq> delivery_queue::first_open(const class_queue& in, delivery_class cls) const {
  auto first = in.left;
  const auto consider = [&](log_seq seq) { first = std::min(first.value_or(seq), seq); };
  for (const auto& each : in.lanes)
    consider(each.units.front().unit.seq);
  for (const auto& [key, unit] : out_)
    if (unit.cls == cls)
      consider(key.seq);
  return first;
}

class_progress delivery_queue::position(delivery_class cls) const {
  const auto& queue = of(cls);
  auto oldest = queue.left_at;
  auto out = std::int64_t{0};
  const auto consider = [&](time_point at) { oldest = std::min(oldest.value_or(at), at); };
  for (const auto& each : queue.lanes)
    consider(each.units.front().unit.at);
  for (const auto& [key, unit] : out_)
    if (unit.cls == cls) {
      consider(unit.at);
      ++out;
    }
  return {.cls = cls,
          .received_upto = queue.received_upto,
          .first_open = first_open(queue, cls),
          .open = static_cast<std::int64_t>(queue.waiting) + out + queue.counted,
          .oldest_at = oldest};
}

} // namespace trunkline
