// What the log has for a host, and what of it is not sent.
#include "actors/remote_host_core.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

/// What takes something back reaches a host whatever else is kept from it.
bool remote_host_core::takes_back(log_kind kind) {
  switch (kind) {
  case log_kind::remove:
  case log_kind::remove_actor:
  case log_kind::undo_announce:
  case log_kind::undo_like:
  case log_kind::undo_follow:
  case log_kind::reject_follow:
  case log_kind::block:
  case log_kind::undo_block:
    return true;
  default:
    return false;
  }
}

bool remote_host_core::is_blocked() const {
  return has_.blocked && has_.blocked->contains(address_.name);
}

void remote_host_core::note_blocked(bool is_so) {
  if (is_so && !is_blocked_)
    bar_unsent();
  is_blocked_ = is_so;
}

/// Tells whether a unit that was taken may still be sent.
bool remote_host_core::may_deliver(const delivery_unit& unit) const {
  return !facts_.paused && !is_unwanted(unit);
}

/// Tells whether a unit is settled without a word to the host.
bool remote_host_core::is_unwanted(const delivery_unit& unit) const {
  if (is_blocked_)
    return true;
  const auto is_cancelled =
      facts_.drains(unit.seq) || (unit.seq <= facts_.flushed_upto && !takes_back(unit.kind));
  if (!is_cancelled)
    return false;
  const auto* exception = exceptions_.find(unit);
  return !exception || !exception->is_ordered;
}

/// Tells whether something may wait that is not to be sent.
bool remote_host_core::may_hold_unwanted() const {
  const auto upto = std::max(facts_.flushed_upto, facts_.drained_upto.value_or(0));
  const auto is_before_it = [this, upto](delivery_class cls) {
    const auto first = queue_.position(cls).first_open;
    return first && *first <= upto;
  };
  return is_blocked_ || facts_.is_drained() || is_before_it(delivery_class::direct) ||
         is_before_it(delivery_class::bulk);
}

/// Settles what is not to be sent, whether the host may be sent to or not.
void remote_host_core::discard() {
  if (is_blocked_) {
    discard_due_ = discard_exceptions_due_ = true;
    for (auto& waiting : std::exchange(fetches_.waiting, {}))
      waiting.reply.deliver(make_error(errc::forbidden, to_name(address_) + ": is blocked"));
  }
  if (old_may_go()) {
    early_.doubtful.clear();
    for (const auto& unit : std::exchange(early_.out, {})) {
      exceptions_.set_out(unit, false);
      discard_exceptions_due_ = true;
      for (const auto& each : exceptions_.about(unit))
        replace_exceptions(each.unit);
    }
  }
  if (std::exchange(discard_exceptions_due_, false))
    for (const auto& each : exceptions_.all())
      if (is_unwanted(each.unit) && !exceptions_.is_out(each.unit))
        end_exception(each.unit, unit_outcome::cancelled);
  if (!std::exchange(discard_due_, false) || !may_hold_unwanted())
    return;
  for (const auto& item :
       queue_.take_where([this](const delivery_unit& unit) { return is_unwanted(unit); }))
    settle(item.unit, unit_outcome::cancelled);
}

/// What waits of an object, and is out of date since `newer` came, is not sent any more.
void remote_host_core::replace_exceptions(const delivery_unit& newer) {
  if (exceptions_.empty())
    return;
  if (newer.kind == log_kind::remove_actor) {
    for (const auto& each : exceptions_.all())
      if (each.unit.author == newer.author && each.unit.to->id == newer.to->id &&
          each.unit.seq < newer.seq && !exceptions_.is_out(each.unit))
        end_exception(each.unit, unit_outcome::cancelled);
    return;
  }
  for (const auto& each : exceptions_.about(newer))
    if (is_superseded(each.unit, newer) && !exceptions_.is_out(each.unit))
      end_exception(each.unit, unit_outcome::coalesced);
}

/// A suspended host reads only for its probe, but for what is not sent at all.
bool remote_host_core::may_read(delivery_class cls) const {
  const auto first_open = queue_.position(cls).first_open.value_or(0);
  if (is_blocked_ || first_open <= facts_.flushed_upto || facts_.drains(first_open))
    return true;
  if (facts_.paused)
    return false;
  return !is_withheld(facts_.state) || (may_send(has_.clock()) && queue_.waiting() == 0);
}

/// Reads from the log what was counted and not kept.
void remote_host_core::read_more() {
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    if (!queue_.is_behind(cls) || !may_read(cls))
      continue;
    const auto wish = queue_.wish(cls);
    if (!wish)
      continue;
    self_
        ->request(has_.log_reader, options_.refill_deadline,
                  read_missed{{.host = facts_.id,
                               .cls = cls,
                               .from = wish->from,
                               .upto = wish->upto,
                               .limit = options_.refill_units,
                               .sources = sources_[index_of(cls)]}})
        .then([this, wish = *wish](const found_units& found) { refill(wish, found); },
              [this, wish = *wish](const caf::error&) { refill_failed(wish); });
  }
}

void remote_host_core::refill(const refill_wish& wish, const found_units& found) {
  sources_[index_of(wish.cls)] = found.sources;
  queue_.refilled(wish, found.units, found.read_upto, found.gone_upto);
  discard_due_ = true;
  pump();
}

void remote_host_core::refill_failed(const refill_wish& wish) {
  queue_.refill_failed(wish.cls);
  wait_until(has_.clock() + options_.local_retry, "the log cannot be read");
  wake_later();
}

/// What the queue has settled by itself is told with the rest.
void remote_host_core::take_replaced() {
  const auto note = [this](const std::vector<delivery_unit>& units, unit_outcome outcome) {
    for (const auto& unit : units) {
      news_.settled[index_of(unit.cls)].push_back({unit.key(), outcome});
      if (on_ended_)
        on_ended_(unit);
    }
  };
  note(queue_.take_coalesced(), unit_outcome::coalesced);
  note(queue_.take_cancelled(), unit_outcome::cancelled);
}

} // namespace trunkline
