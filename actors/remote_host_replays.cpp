// What is sent again because an operator orders it.
#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t letters_at_once = 500;
constexpr std::size_t letters_reopened_max = 10'000; // dead letters that a replay makes void

caf::error nothing_owed() {
  return make_error(errc::not_found, "replay: nothing of it was owed to the host");
}

} // namespace

void remote_host_state::carry_out(const order_ptr& order, const replay_wish& wish) {
  if (wish.from_seq.has_value() + wish.from_time.has_value() + wish.about.has_value() != 1)
    return finish(order,
                  make_error(errc::invalid, "replay: from a row, a time or about an object"));
  if (wish.about)
    return replay_about(order, *wish.about);
  auto question =
      query<reopening>{[host = facts_.id, wish](database& db) -> caf::expected<reopening> {
        auto found = reopening{.from = std::max<log_seq>(1, wish.from_seq.value_or(1))};
        if (wish.from_time) {
          const auto first = first_row_since(db, *wish.from_time);
          if (!first)
            return first.error();
          if (!*first)
            return nothing_owed();
          found.from = **first;
        }
        const auto letters = dead_letters(db, host, {}, {found.from, {}}, letters_reopened_max);
        if (!letters)
          return letters.error();
        for (const auto& letter : *letters)
          found.dead.push_back(letter.row.unit);
        return found;
      }};
  ask_storage(self_, has_.storage, std::move(question),
              [this, order](caf::expected<reopening> found) {
                if (!found)
                  return finish(order, found.error());
                replay_from(order, std::make_shared<reopening>(std::move(*found)));
              });
}

/// An earlier flush, or a drain that is over, does not hold for what is ordered now.
void remote_host_state::replay_from(const order_ptr& order, const reopening_ptr& counted) {
  const auto before = counted->from - 1;
  if (order->wish.dry_run ||
      (facts_.flushed_upto <= before && facts_.drained_upto.value_or(0) <= before))
    return count_settled(order, counted);
  const auto flushed = std::min(facts_.flushed_upto, before);
  auto drained = std::optional<row_range>{};
  if (facts_.drained_after && (*facts_.drained_after < before || facts_.is_drained()))
    drained = {.after = *facts_.drained_after, .upto = facts_.drained_upto};
  if (drained && drained->upto)
    drained->upto = std::min(*drained->upto, before);
  store(
      [host = facts_.id, flushed, drained](database& db) {
        const auto failure = set_flushed(db, host, flushed);
        return failure ? failure : set_drained(db, host, drained);
      },
      [this, order, counted, flushed, drained](const caf::error& failure) {
        if (failure)
          return finish(order, failure);
        facts_.flushed_upto = flushed;
        facts_.drained_after = drained ? std::optional{drained->after} : std::nullopt;
        facts_.drained_upto = drained ? drained->upto : std::nullopt;
        count_settled(order, counted);
      });
}

/// Counts what is settled from the row on; what ends while it is counted is counted as well.
void remote_host_state::count_settled(const order_ptr& order, const reopening_ptr& counted) {
  const auto through = std::make_shared<log_walk>();
  through->limit = options_.counted_at_once;
  for (const auto cls : {delivery_class::direct, delivery_class::bulk})
    through->parts[index_of(cls)] = {
        .next = counted->from, .upto = queue_.position(cls).received_upto, .sources = nullptr};
  const auto limits = through->parts;
  const auto count = [counted](const delivery_unit& unit) {
    ++counted->units[index_of(unit.cls)];
    counted->oldest_at = std::min(counted->oldest_at.value_or(unit.at), unit.at);
  };
  on_ended_ = [weak = std::weak_ptr{through}, limits, counted, count](const delivery_unit& unit) {
    const auto walk = weak.lock();
    const auto at = index_of(unit.cls);
    const auto was_passed = walk && unit.seq < walk->parts[at].next;
    if (unit.seq >= counted->from && (was_passed || unit.seq > limits[at].upto))
      count(unit);
  };
  through->take = [this, order, counted, count](delivery_class, const found_units& found) {
    counted->from = std::max(counted->from, found.gone_upto + 1);
    for (const auto& unit : found.units)
      if (!queue_.is_open(unit) && !exceptions_.find(unit))
        count(unit);
    counted->is_all = !order->wish.dry_run || counted->all() < units_counted_max;
    return counted->is_all;
  };
  through->then = [this, order, counted](const caf::error& failure) {
    take_replaced();
    on_ended_ = nullptr;
    if (failure)
      return finish(order, failure);
    order->result = {.units = counted->all(), .kept = 0, .is_all = counted->is_all};
    if (counted->all() == 0)
      return finish(order, nothing_owed());
    if (order->wish.dry_run)
      return finish(order);
    reopen(order, *counted);
  };
  walk(through);
}

/// The queue begins anew from the row; what waits in an exception stays there.
void remote_host_state::reopen(const order_ptr& order, const reopening& counted) {
  tell_now(); // what was settled before is told before it opens again
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    const auto units = counted.units[index_of(cls)];
    if (units == 0)
      continue;
    queue_.reopen(cls, counted.from, units, counted.oldest_at);
    auto& told = news_.reopened.emplace_back(
        reopened_units{.cls = cls,
                       .from = counted.from,
                       .units = units,
                       .oldest_at = counted.oldest_at.value_or(has_.clock())});
    for (const auto& each : exceptions_.all())
      if (each.unit.cls == cls && each.unit.seq >= counted.from)
        told.excepted.push_back(each.unit.key());
  }
  for (const auto& each : exceptions_.all())
    queue_.settle(each.unit);
  for (const auto& unit : counted.dead)
    news_.exceptions.push_back({facts_.id, unit, std::nullopt, {}, false});
  report_.dead -= static_cast<std::int64_t>(counted.dead.size());
  write_books([this, order](const caf::error& failure) { finish(order, failure); });
  pump();
}

void remote_host_state::replay_about(const order_ptr& order, const object_key& object) {
  auto question =
      query<owed_rows>{[host = facts_.id, object](database& db) -> caf::expected<owed_rows> {
        auto units = newest_owed(db, host, object);
        if (!units)
          return std::move(units.error());
        auto found = owed_rows{.units = std::move(*units), .dead = {}};
        if (found.units.empty())
          return found;
        auto keys = std::vector<unit_key>{};
        for (const auto& unit : found.units)
          keys.push_back(unit.key());
        const auto letters = dead_letters(db, host, keys, {}, keys.size());
        if (!letters)
          return letters.error();
        for (const auto& letter : *letters)
          found.dead.push_back(letter.row.unit);
        return found;
      }};
  ask_storage(self_, has_.storage, std::move(question),
              [this, order](const caf::expected<owed_rows>& found) {
                if (!found)
                  return finish(order, found.error());
                if (found->units.empty())
                  return finish(order, nothing_owed());
                replay_units(order, *found);
              });
}

void remote_host_state::replay_units(const order_ptr& order, const owed_rows& found) {
  order->result.units = static_cast<std::int64_t>(found.units.size());
  if (order->wish.dry_run)
    return finish(order);
  if (exceptions_.size() + found.units.size() > options_.exceptions_max)
    return finish(order, make_error(errc::unavailable, "replay: too many exceptions wait"));
  for (const auto& unit : found.units)
    replay_unit(unit, std::ranges::find(found.dead, unit.key()) != found.dead.end());
  write_books([this, order](const caf::error& failure) { finish(order, failure); });
  pump();
}

/// What waits is due now; what is open waits by itself from now on; what was settled waits again.
void remote_host_state::replay_unit(const delivery_unit& unit, bool is_dead) {
  const auto is_under_way = std::ranges::any_of(exchanges_, [&](const host_exchange& open) {
    return !open.fetch && open.item.unit.key() == unit.key();
  });
  if (is_under_way || unit.seq > queue_.position(unit.cls).received_upto)
    return;
  if (exceptions_.find(unit) || !queue_.is_open(unit)) {
    report_.dead -= is_dead && !exceptions_.find(unit);
    return wait_again(unit, !exceptions_.find(unit));
  }
  static_cast<void>(
      queue_.take_where([&](const delivery_unit& each) { return each.key() == unit.key(); }));
  wait_again(unit, false);
  settle(unit, unit_outcome::excepted);
}

/// As an exception that is due now; what it replaces waits no longer.
void remote_host_state::wait_again(const delivery_unit& unit, bool is_again) {
  replace_exceptions(unit);
  put_exception({.unit = unit,
                 .row = {.unit = unit.key(),
                         .object = unit.object,
                         .status = exception_status::waiting,
                         .error = std::string{ordered_again},
                         .attempts = 0,
                         .next_try_at = exceptions_clock()},
                 .is_ordered = true},
                is_again);
}

/// Those of the database, in pages; what the books hold is written before.
void remote_host_state::carry_out(const order_ptr& order, const dead_letters_wish& wish) {
  if (order->wish.dry_run && wish.units.empty()) {
    order->result.units = report_.dead;
    return finish(order);
  }
  write_books([this, order](const caf::error& failure) {
    if (failure)
      return finish(order, failure);
    next_letters(order, {});
  });
}

void remote_host_state::next_letters(const order_ptr& order, unit_key after) {
  const auto& wish = std::get<dead_letters_wish>(order->wish.wish);
  auto question = query<std::vector<stored_exception>>{
      [host = facts_.id, units = wish.units, after](database& db) {
        return dead_letters(db, host, units, after, letters_at_once);
      }};
  ask_storage(self_, has_.storage, std::move(question),
              [this, order](caf::expected<std::vector<stored_exception>> found) {
                if (!found)
                  return finish(order, found.error());
                take_letters(order, *found);
              });
}

/// A letter whose row of the log is gone cannot be sent again; one that was taken back since must
/// not be, for its Delete or Undo has gone out.
void remote_host_state::take_letters(const order_ptr& order,
                                     const std::vector<stored_exception>& letters) {
  const auto discards = std::get<dead_letters_wish>(order->wish.wish).discard;
  auto& result = order->result;
  for (const auto& letter : letters) {
    if (!discards && !letter.unit.author)
      continue;
    if (!discards && letter.is_taken_back) {
      ++result.kept;
      continue;
    }
    if (!discards && exceptions_.size() >= options_.exceptions_max) {
      result.is_all = false;
      break;
    }
    ++result.units;
    if (order->wish.dry_run)
      continue;
    --report_.dead;
    if (discards)
      news_.exceptions.push_back({facts_.id, letter.row.unit, std::nullopt, {}, false});
    else
      wait_again(letter.unit, true);
  }
  const auto is_last = letters.size() < letters_at_once || !result.is_all;
  if (is_last && result.units == 0 && result.kept == 0 && result.is_all)
    return finish(order, make_error(errc::not_found, "there are no such dead letters"));
  const auto after = letters.empty() ? unit_key{} : letters.back().row.unit;
  write_books([this, order, is_last, after](const caf::error& failure) {
    if (failure || is_last)
      return finish(order, failure);
    next_letters(order, after);
  });
  pump();
}

} // namespace trunkline
