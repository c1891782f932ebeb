#include "protocol/delivery_queue.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace trunkline {

namespace {

bool has_failed(const queued_unit& unit) {
  return unit.failed_sent != 0 || unit.own_failures > 0;
}

log_seq seq_of(const queued_unit& unit) {
  return unit.unit.seq;
}

/// For each of some units which of them replaces it, if any.
std::vector<const delivery_unit*> replacements(std::span<const delivery_unit> units) {
  auto found = std::vector<const delivery_unit*>(units.size());
  auto last = std::map<std::tuple<endpoint_id, object_key>, const delivery_unit*>{};
  for (auto at = units.size(); at-- > 0;) {
    const auto& unit = units[at];
    const auto about = std::tuple{unit.to->id, unit.object};
    if (const auto newer = last.find(about);
        newer != last.end() && is_superseded(unit, *newer->second))
      found[at] = newer->second;
    else if (replaces_others(unit.kind))
      last.insert_or_assign(about, &unit);
  }
  return found;
}

} // namespace

bool replaces_others(log_kind kind) {
  return kind == log_kind::remove || kind == log_kind::update || kind == log_kind::update_actor;
}

bool is_superseded(const delivery_unit& older, const delivery_unit& newer) {
  if (older.seq >= newer.seq || older.object != newer.object || older.to->id != newer.to->id)
    return false;
  if (newer.kind == log_kind::remove)
    return older.kind == log_kind::create || older.kind == log_kind::update;
  return newer.kind == older.kind && replaces_others(newer.kind);
}

/// Puts the unit behind the others of its lane; false when there is no room.
bool delivery_queue::keep(class_queue& in, const delivery_unit& unit) {
  if (in.waiting >= limits_.references_max)
    return false;
  const auto key = lane_of(unit);
  auto found = lanes_.find(key);
  if (found == lanes_.end())
    found = lanes_.emplace(key, lane{.key = key}).first;
  auto& units = found->second.parts[index_of(unit.cls)].units;
  if (units.size() >= limits_.lane_max)
    return false;
  const auto replaced_old = in.held.erase(unit.key()) > 0;
  const auto may_have = replaces_others(unit.kind) && unit.seq <= in.old_upto;
  units.insert(std::ranges::upper_bound(units, unit.seq, {}, seq_of),
               {.unit = unit, .replaces_old = replaced_old || may_have});
  ++in.waiting;
  const auto at = std::ranges::lower_bound(in.open, unit.key(), {}, &open_unit::key);
  in.open.insert(at, {.key = unit.key(), .at = unit.at});
  place(found->second, unit.cls);
  return true;
}

/// Puts the lane where it belongs; where it is already, it keeps its turn.
void delivery_queue::place(lane& each, delivery_class cls) {
  auto& part = each.parts[index_of(cls)];
  auto& lanes = of(cls).lanes;
  auto wanted = lane_place::ready;
  if (part.units.empty())
    wanted = lane_place::none;
  else if (each.is_busy)
    wanted = lane_place::busy;
  else if (part.units.front().replaces_old && !released_)
    wanted = lane_place::held;
  const auto was = std::exchange(part.place, wanted);
  if (was == wanted)
    return;
  const auto list_at = [&](lane_place at) -> auto& {
    return lanes[static_cast<std::size_t>(at)];
  };
  if (was == lane_place::none)
    part.at = list_at(wanted).insert(list_at(wanted).end(), &each);
  else if (wanted == lane_place::none)
    list_at(was).erase(part.at);
  else
    list_at(wanted).splice(list_at(wanted).end(), list_at(was), part.at);
}

/// The lane has changed; it goes when it has nothing.
void delivery_queue::tidy(lane_map::iterator each) {
  for (const auto cls : {delivery_class::direct, delivery_class::bulk})
    place(each->second, cls);
  if (!each->second.is_busy && std::ranges::all_of(each->second.parts, [](const lane_part& part) {
        return part.units.empty();
      }))
    lanes_.erase(each);
}

/// Takes a unit out of its lane, which must be tidied after it; it stays open.
queued_unit delivery_queue::remove(lane& from, delivery_class cls, std::size_t index,
                                   unit_place to) {
  auto& queue = of(cls);
  auto& units = from.parts[index_of(cls)].units;
  const auto at = units.begin() + static_cast<std::ptrdiff_t>(index);
  auto removed = std::move(*at);
  units.erase(at);
  --queue.waiting;
  queue.failed -= has_failed(removed);
  queue.stalled = false;
  std::ranges::lower_bound(queue.open, removed.unit.key(), {}, &open_unit::key)->place = to;
  return removed;
}

void delivery_queue::clear_waiting(delivery_class cls) {
  auto& queue = of(cls);
  for (auto each = lanes_.begin(); each != lanes_.end();) {
    auto& units = each->second.parts[index_of(cls)].units;
    for (const auto& unit : units)
      if (unit.replaces_old && !released_)
        queue.held.insert(unit.unit.key());
    units.clear();
    tidy(each++);
  }
  std::erase_if(queue.open,
                [](const open_unit& each) { return each.place == unit_place::waiting; });
  queue.waiting = queue.failed = 0;
}

/// `newer` is owed, be it kept or not: what it replaces is settled.
void delivery_queue::replace(const delivery_unit& newer) {
  if (newer.kind == log_kind::remove_actor)
    return cancel_for(newer);
  const auto found = replaces_others(newer.kind) ? lanes_.find(lane_of(newer)) : lanes_.end();
  if (found == lanes_.end())
    return;
  auto& queue = of(newer.cls);
  const auto& units = found->second.parts[index_of(newer.cls)].units;
  auto may_be_out = false;
  for (auto at = std::size_t{0}; at < units.size();) {
    if (!is_superseded(units[at].unit, newer)) {
      ++at;
      continue;
    }
    auto older = remove(found->second, newer.cls, at, unit_place::taken);
    may_be_out |= older.replaces_old || !queue.begun || older.unit.seq <= queue.old_upto;
    queue.note_settled(older.unit.key());
    coalesced_.push_back(std::move(older.unit));
  }
  if (may_be_out) // noted last: what is settled trims it
    queue.held.insert(newer.key());
  tidy(found);
}

/// An account is deleted: nothing older of it is sent.
void delivery_queue::cancel_for(const delivery_unit& account_gone) {
  if (gone_.size() >= limits_.gone_max && !gone_.contains(account_gone.author))
    gone_.erase(gone_.begin());
  gone_[account_gone.author] = account_gone.seq;
  const auto found = lanes_.find(lane_of(account_gone));
  if (found == lanes_.end())
    return;
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    const auto& units = found->second.parts[index_of(cls)].units;
    while (!units.empty() && units.front().unit.seq < account_gone.seq) {
      cancelled_.push_back(remove(found->second, cls, 0, unit_place::taken).unit);
      of(cls).note_settled(cancelled_.back().key());
    }
  }
  tidy(found);
}

bool delivery_queue::is_gone(const delivery_unit& unit) const {
  const auto found = gone_.find(unit.author);
  return found != gone_.end() && unit.seq < found->second;
}

/// What is settled behind something open is listed, and the list is full once. With nothing open in
/// memory a unit is kept all the same: only its end makes the list shorter.
bool delivery_queue::has_room(const class_queue& in) const {
  return in.settled.size() < limits_.acked_max || in.open.empty();
}

/// Keeps of a refill what there is room for; tells where the rest begins.
delivery_queue::left_units delivery_queue::keep_all(class_queue& in,
                                                    std::span<const delivery_unit> units) {
  const auto newer = replacements(units);
  auto full = std::set<lane_key>{};
  auto rest = left_units{};
  for (auto at = std::size_t{0}; at < units.size(); ++at) {
    const auto& unit = units[at];
    if (in.is_known(unit.key()))
      continue;
    const auto may_keep = has_room(in);
    if (may_keep && (newer[at] || is_gone(unit))) {
      skip(in, unit, newer[at]);
      continue;
    }
    if (may_keep && !full.contains(lane_of(unit)) && keep(in, unit)) {
      in.counted = std::max<std::int64_t>(in.counted - 1, 0);
      continue;
    }
    full.insert(lane_of(unit)); // what comes after it in its lane must wait as well
    if (!rest.from)
      rest = {unit.seq, unit.at};
    if (!may_keep || in.waiting >= limits_.references_max)
      break;
  }
  return rest;
}

/// Settles a unit that was read from the log and need not be sent.
void delivery_queue::skip(class_queue& in, const delivery_unit& unit, const delivery_unit* newer) {
  const auto may_be_out = in.held.erase(unit.key()) > 0 || unit.seq <= in.old_upto;
  in.counted = std::max<std::int64_t>(in.counted - 1, 0);
  in.note_settled(unit.key());
  if (newer && may_be_out && !hold(*newer))
    in.held.insert(newer->key());
  (newer ? coalesced_ : cancelled_).push_back(unit);
}

/// A unit replaced one at which the peer may be at work; false when it is not in memory.
bool delivery_queue::hold(const delivery_unit& newer) {
  if (!of(newer.cls).is_known(newer.key()))
    return false;
  const auto found = lanes_.find(lane_of(newer));
  if (found == lanes_.end())
    return true;
  for (auto& each : found->second.parts[index_of(newer.cls)].units)
    each.replaces_old |= each.unit.seq == newer.seq;
  place(found->second, newer.cls);
  return true;
}

/// Of what came before the books spoke, what may have replaced a unit of an earlier life waits.
void delivery_queue::hold_old(delivery_class cls) {
  for (auto& [key, each] : lanes_) {
    for (auto& unit : each.parts[index_of(cls)].units)
      unit.replaces_old |= replaces_others(unit.unit.kind) && unit.unit.seq <= of(cls).old_upto;
    place(each, cls);
  }
}

bool delivery_queue::can_take(bool old_may_go) const {
  return std::ranges::any_of(classes_, [&](const class_queue& queue) {
    return !queue.lanes[0].empty() || (old_may_go && !queue.lanes[1].empty());
  });
}

std::optional<queued_unit> delivery_queue::take_from(delivery_class cls) {
  auto& ready = of(cls).lanes[0];
  if (ready.empty())
    return std::nullopt;
  auto& from = *ready.front();
  from.is_busy = true;
  ++out_;
  auto taken = remove(from, cls, 0, unit_place::out);
  for (const auto each : {delivery_class::direct, delivery_class::bulk})
    place(from, each);
  return taken;
}

/// What was held goes like everything else from now on.
void delivery_queue::release() {
  if (std::exchange(released_, true))
    return;
  for (auto& queue : classes_)
    while (!queue.lanes[1].empty())
      place(*queue.lanes[1].front(), class_at(static_cast<std::size_t>(&queue - classes_.data())));
}

std::optional<queued_unit> delivery_queue::take_next(bool old_may_go) {
  if (old_may_go)
    release();
  if (direct_in_a_row_ >= limits_.direct_share) {
    direct_in_a_row_ = 0;
    if (auto taken = take_from(delivery_class::bulk))
      return taken;
  }
  if (auto taken = take_from(delivery_class::direct)) {
    ++direct_in_a_row_;
    return taken;
  }
  direct_in_a_row_ = 0;
  return take_from(delivery_class::bulk);
}

/// The unit is not out any more, if it was: its lane is free.
delivery_queue::lane_map::iterator delivery_queue::free_lane(const delivery_unit& unit) {
  const auto& open = of(unit.cls).open;
  const auto entry = std::ranges::lower_bound(open, unit.key(), {}, &open_unit::key);
  const auto found = lanes_.find(lane_of(unit));
  if (entry == open.end() || entry->key != unit.key() || entry->place != unit_place::out)
    return found;
  --out_;
  if (found != lanes_.end())
    found->second.is_busy = false;
  return found;
}

void delivery_queue::settle(const delivery_unit& unit) {
  auto& queue = of(unit.cls);
  if (const auto found = free_lane(unit); found != lanes_.end())
    tidy(found);
  queue.stalled = false;
  queue.note_settled(unit.key());
}

void delivery_queue::put_back(queued_unit unit) {
  auto& queue = of(unit.unit.cls);
  auto found = free_lane(unit.unit);
  if (found == lanes_.end())
    found = lanes_.emplace(lane_of(unit.unit), lane{.key = lane_of(unit.unit)}).first;
  auto& units = found->second.parts[index_of(unit.unit.cls)].units;
  const auto newer = std::ranges::find_if(
      units, [&](const queued_unit& each) { return is_superseded(unit.unit, each.unit); });
  if (newer != units.end() || is_gone(unit.unit)) {
    if (newer != units.end())
      newer->replaces_old |= unit.replaces_old || unit.unit.seq <= queue.old_upto;
    tidy(found);
    queue.stalled = false;
    queue.note_settled(unit.unit.key());
    (newer != units.end() ? coalesced_ : cancelled_).push_back(std::move(unit.unit));
    return;
  }
  std::ranges::lower_bound(queue.open, unit.unit.key(), {}, &open_unit::key)->place =
      unit_place::waiting;
  ++queue.waiting;
  queue.failed += has_failed(unit);
  units.insert(std::ranges::lower_bound(units, unit.unit.seq, {}, seq_of), std::move(unit));
  tidy(found);
}

template <class Predicate>
std::vector<queued_unit> delivery_queue::take_heads(Predicate is_wanted) {
  auto taken = std::vector<queued_unit>{};
  for (const auto cls : {delivery_class::direct, delivery_class::bulk})
    for (auto each = lanes_.begin(); each != lanes_.end() && of(cls).failed > 0;) {
      const auto& units = each->second.parts[index_of(cls)].units;
      if (!units.empty() && is_wanted(units.front()))
        taken.push_back(remove(each->second, cls, 0, unit_place::taken));
      tidy(each++);
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

std::vector<queued_unit>
delivery_queue::take_where(const std::function<bool(const delivery_unit&)>& is_named) {
  auto taken = std::vector<queued_unit>{};
  for (const auto cls : {delivery_class::direct, delivery_class::bulk})
    for (auto each = lanes_.begin(); each != lanes_.end();) {
      const auto& units = each->second.parts[index_of(cls)].units;
      for (auto at = std::size_t{0}; at < units.size();)
        if (is_named(units[at].unit))
          taken.push_back(remove(each->second, cls, at, unit_place::taken));
        else
          ++at;
      tidy(each++);
    }
  return taken;
}

} // namespace trunkline
