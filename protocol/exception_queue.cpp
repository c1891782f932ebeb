#include "protocol/exception_queue.hpp"

#include <algorithm>

namespace trunkline {

namespace {

time_point turn_of(const waiting_exception& each) {
  return each.row.next_try_at.value_or(time_point{});
}

} // namespace

/// What a line shows changes with its first unit: it is hidden before every change.
void exception_queue::hide(const object_place& key, const object_line& of) {
  if (of.out || of.units.empty())
    return;
  const auto& first = of.units.begin()->second;
  turns_.erase({turn_of(first), key});
  probes_.erase({first.probed, key});
}

void exception_queue::show(const object_place& key, const object_line& of) {
  if (of.out || of.units.empty())
    return;
  const auto& first = of.units.begin()->second;
  turns_.emplace(turn_of(first), key);
  probes_.emplace(first.probed, key);
}

void exception_queue::put(waiting_exception next) {
  const auto key = key_of(next.unit);
  auto& line = lines_[key];
  hide(key, line);
  const auto [place, is_new] = line.units.try_emplace(next.unit.seq);
  if (is_new)
    ++size_;
  else
    written_at_.erase(written_at_.find(place->second.unit.at));
  written_at_.insert(next.unit.at);
  place->second = std::move(next);
  show(key, line);
}

const waiting_exception* exception_queue::find(const delivery_unit& unit) const {
  const auto line = lines_.find(key_of(unit));
  if (line == lines_.end())
    return nullptr;
  const auto found = line->second.units.find(unit.seq);
  return found == line->second.units.end() ? nullptr : &found->second;
}

bool exception_queue::erase(const delivery_unit& unit) {
  const auto key = key_of(unit);
  const auto found = lines_.find(key);
  if (found == lines_.end() || !found->second.units.contains(unit.seq))
    return false;
  auto& line = found->second;
  hide(key, line);
  const auto one = line.units.find(unit.seq);
  written_at_.erase(written_at_.find(one->second.unit.at));
  line.units.erase(one);
  --size_;
  if (line.out == unit.seq)
    line.out.reset();
  if (line.units.empty())
    lines_.erase(found);
  else
    show(key, line);
  return true;
}

std::optional<time_point> exception_queue::oldest_at() const {
  return written_at_.empty() ? std::nullopt : std::optional{*written_at_.begin()};
}

void exception_queue::set_out(const delivery_unit& unit, bool is_out) {
  const auto key = key_of(unit);
  const auto found = lines_.find(key);
  if (found == lines_.end())
    return;
  auto& line = found->second;
  hide(key, line);
  if (is_out)
    line.out = unit.seq;
  else if (line.out == unit.seq)
    line.out.reset();
  show(key, line);
}

bool exception_queue::is_out(const delivery_unit& unit) const {
  const auto found = lines_.find(key_of(unit));
  return found != lines_.end() && found->second.out == unit.seq;
}

bool exception_queue::holds(const delivery_unit& unit) const {
  return !lines_.empty() && lines_.contains(key_of(unit));
}

std::vector<waiting_exception> exception_queue::about(const delivery_unit& unit) const {
  auto found = std::vector<waiting_exception>{};
  if (const auto line = lines_.find(key_of(unit)); line != lines_.end())
    for (const auto& [seq, each] : line->second.units)
      found.push_back(each);
  return found;
}

std::vector<waiting_exception> exception_queue::all() const {
  auto found = std::vector<waiting_exception>{};
  found.reserve(size_);
  for (const auto& [key, line] : lines_)
    for (const auto& [seq, each] : line.units)
      found.push_back(each);
  std::ranges::sort(found, {}, [](const waiting_exception& each) { return each.unit.key(); });
  return found;
}

const waiting_exception* exception_queue::due(time_point now) const {
  if (turns_.empty() || turns_.begin()->first > now)
    return nullptr;
  return &lines_.at(turns_.begin()->second).units.begin()->second;
}

const waiting_exception* exception_queue::for_probe() const {
  return probes_.empty() ? nullptr : &lines_.at(probes_.begin()->second).units.begin()->second;
}

std::optional<time_point> exception_queue::next_due() const {
  return turns_.empty() ? std::nullopt : std::optional{turns_.begin()->first};
}

std::vector<waiting_exception> exception_queue::postpone(time_point since,
                                                         std::chrono::microseconds span) {
  auto moved = std::vector<waiting_exception>{};
  for (auto& [key, line] : lines_) {
    hide(key, line);
    for (auto& [seq, each] : line.units) {
      if (turn_of(each) <= since)
        continue;
      *each.row.next_try_at += span;
      moved.push_back(each);
    }
    show(key, line);
  }
  return moved;
}

} // namespace trunkline
