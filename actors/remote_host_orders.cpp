// What an operator orders of a host.
#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "storage/log_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

caf::result<operated_host> remote_host_state::operate(const operate_host& wish) {
  auto order = std::make_shared<running_order>();
  order->wish = wish;
  if (!started_ && early_.when_started.size() >= options_.asked_max)
    return make_error(errc::unavailable, to_name(address_) + ": too many orders wait");
  order->reply = self_->make_response_promise<operated_host>();
  if (started_)
    carry_out(order);
  else
    early_.when_started.emplace_back([this, order] { carry_out(order); });
  return order->reply;
}

/// One at a time: what one counts the next would change.
void remote_host_state::carry_out(const order_ptr& order) {
  if (!facts_.id)
    return void(order->reply.deliver(
        make_error(errc::not_found, to_name(address_) + ": nothing was ever sent to it")));
  if (stopping_ || std::exchange(is_ordering_, true))
    return void(order->reply.deliver(
        make_error(errc::unavailable, to_name(address_) + ": another order is under way")));
  tell_now();
  self_->request(has_.dispatcher, options_.adopt_deadline, adopt_host{address_})
      .then([this, order](const host_cursor& now) { carry_out(order, now); },
            [this, order](const caf::error& failure) { finish(order, failure); });
}

/// The dispatcher tells a host of nothing that is not sent to now: it is asked what there is.
void remote_host_state::carry_out(const order_ptr& order, const host_cursor& now) {
  learn(now);
  std::visit([&](const auto& wish) { carry_out(order, wish); }, order->wish.wish);
}

void remote_host_state::finish(const order_ptr& order, const caf::error& failure) {
  is_ordering_ = false;
  if (failure)
    order->reply.deliver(failure);
  else
    order->reply.deliver(order->result);
  pump();
}

/// Makes a change in a transaction of its own.
void remote_host_state::store(std::function<caf::error(database&)> change, ending then) {
  auto work = command<caf::unit_t>{
      [change = std::move(change)](write_context& context) -> caf::expected<caf::unit_t> {
        if (auto failure = change(context.db))
          return failure;
        return caf::unit;
      }};
  ask_storage(self_, has_.storage, std::move(work),
              [then = std::move(then)](caf::expected<caf::unit_t> made) {
                then(made ? caf::error{} : made.error());
              });
}

/// What was told to the dispatcher is in the database then.
void remote_host_state::write_books(ending then) {
  tell_now();
  self_->request(has_.dispatcher, options_.flush_deadline, flush_books{})
      .then([then] { then({}); }, [then](const caf::error& failure) { then(failure); });
}

log_seq remote_host_state::received_upto() const {
  return std::max(queue_.position(delivery_class::direct).received_upto,
                  queue_.position(delivery_class::bulk).received_upto);
}

/// Tells whether something may wait that a drain cancels which is over.
bool remote_host_state::may_hold_drained() const {
  const auto is_before_end = [this](delivery_class cls) {
    const auto first = queue_.position(cls).first_open;
    return first && *first <= facts_.drained_upto;
  };
  return is_before_end(delivery_class::direct) || is_before_end(delivery_class::bulk);
}

/// What waits by now is delivered; all that comes later is cancelled. One that is drained already
/// is stored so once more: an end of it may be there of which nobody was told.
void remote_host_state::carry_out(const order_ptr& order, const drain_wish&) {
  order->result.units = static_cast<std::int64_t>(exceptions_.size()) +
                        queue_.position(delivery_class::direct).open +
                        queue_.position(delivery_class::bulk).open;
  if (order->wish.dry_run)
    return finish(order);
  const auto known = facts_.is_drained() ? facts_.drained_after : std::nullopt;
  if (!known && may_hold_drained())
    return finish(order, make_error(errc::unavailable, "drain: what came during the last one is"
                                                       " still looked through; try again later"));
  store_upto(
      [host = facts_.id, known](database& db, log_seq newest) {
        return set_drained(db, host, row_range{.after = known.value_or(newest), .upto = {}});
      },
      [this, order, known](caf::expected<log_seq> newest) {
        if (!newest)
          return finish(order, newest.error());
        facts_.drained_after = known.value_or(*newest);
        facts_.drained_upto.reset();
        news_.facts = true; // the dispatcher cancels what comes later by itself
        discard_due_ = discard_exceptions_due_ = true;
        bar_unsent();
        finish(order);
      });
}

void remote_host_state::carry_out(const order_ptr& order, const limit_wish& wish) {
  if (wish.in_flight.value_or(1) < 1 || wish.per_s.value_or(1) < 1)
    return finish(order, make_error(errc::invalid, "limit: from 1"));
  if (order->wish.dry_run)
    return finish(order);
  const auto bounds = host_bounds{.in_flight = wish.in_flight, .per_s = wish.per_s};
  store([host = facts_.id, bounds](database& db) { return set_bounds(db, host, bounds); },
        [this, order, bounds](const caf::error& failure) {
          if (!failure) {
            facts_.limit_in_flight = bounds.in_flight;
            facts_.limit_per_s = bounds.per_s;
          }
          finish(order, failure);
        });
}

/// Everything that waits by now is cancelled, but for what takes something back.
void remote_host_state::carry_out(const order_ptr& order, const flush_wish&) {
  auto& result = order->result;
  const auto count = [&result](const delivery_unit& unit) {
    ++(takes_back(unit.kind) ? result.kept : result.units);
  };
  for (const auto& each : exceptions_.all())
    count(each.unit);
  const auto through = walk_over_open(0, received_upto());
  through->take = [this, order, count](delivery_class, const found_units& found) {
    for (const auto& unit : found.units)
      if (queue_.is_open(unit))
        count(unit);
    order->result.is_all = order->result.units + order->result.kept < units_counted_max;
    return order->result.is_all;
  };
  through->then = [this, order](const caf::error& failure) {
    if (failure || order->wish.dry_run)
      return finish(order, failure);
    flush_counted(order);
  };
  walk(through);
}

void remote_host_state::flush_counted(const order_ptr& order) {
  store_upto(
      [host = facts_.id](database& db, log_seq newest) { return set_flushed(db, host, newest); },
      [this, order](caf::expected<log_seq> newest) {
        if (!newest)
          return finish(order, newest.error());
        facts_.flushed_upto = *newest;
        discard_due_ = discard_exceptions_due_ = true;
        bar_unsent();
        if (!forget_ordered())
          return finish(order);
        write_books([this, order](const caf::error& failure) { finish(order, failure); });
      });
}

/// What was ordered to be sent again before a flush is cancelled like all else. Tells whether there
/// was any.
bool remote_host_state::forget_ordered() {
  auto had_any = false;
  for (auto& each : exceptions_.all())
    if (std::exchange(each.is_ordered, false)) {
      had_any = true;
      each.row.error = "flushed";
      put_exception(std::move(each));
    }
  discard();
  return had_any;
}

/// Makes a change that says up to which row it holds: the newest by now, offered or not.
void remote_host_state::store_upto(std::function<caf::error(database&, log_seq newest)> change,
                                   std::function<void(caf::expected<log_seq>)> then) {
  auto work = command<log_seq>{
      [change = std::move(change)](write_context& context) -> caf::expected<log_seq> {
        auto newest = newest_seq(context.db);
        if (!newest)
          return std::move(newest.error());
        if (auto failure = change(context.db, *newest))
          return failure;
        return *newest;
      }};
  ask_storage(self_, has_.storage, std::move(work), std::move(then));
}

} // namespace trunkline
