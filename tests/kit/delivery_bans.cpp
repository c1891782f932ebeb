#include "kit/delivery_bans.hpp"

#include <algorithm>
#include <utility>

namespace trunkline::kit {

namespace {

using namespace std::chrono_literals;

/// A block counts a second after it was answered; the log is polled when its hint was lost.
constexpr auto block_takes = 1'600ms;

} // namespace

bool is_kept_by_flush(log_kind kind) {
  return kind == log_kind::remove || kind == log_kind::undo_like;
}

std::size_t delivery_bans::wanted(const host_order_given& order, moment now) {
  orders_.push_back({.order = order, .wanted_at = now, .done_at = {}});
  lift(order);
  return orders_.size() - 1;
}

/// What it may end does not count from the moment on at which it is ordered.
void delivery_bans::lift(const host_order_given& order) {
  auto& of = bans_[order.host];
  switch (order.kind) {
  case host_order_kind::resume:
    of.paused_at.reset();
    if (const auto since = std::exchange(of.drained_at, std::nullopt))
      of.drains.emplace_back(*since, orders_.back().wanted_at);
    return;
  case host_order_kind::unblock:
    return of.blocked_at.reset();
  case host_order_kind::limit:
    of.in_flight.reset();
    return of.per_s.reset();
  case host_order_kind::replay:
    of.flushed_at.reset();
    of.drained_at.reset();
    of.drains.clear();
    replayed_.insert(order.host);
    return;
  case host_order_kind::discard:
    discarded_.insert(order.host);
    return;
  default:
    return;
  }
}

void delivery_bans::done(std::size_t number, moment now) {
  auto& order = orders_.at(number);
  if (!std::exchange(order.is_open, false))
    return;
  order.done_at = now;
  order.is_done = true;
  const auto first = orders_.begin();
  const auto at = first + static_cast<std::ptrdiff_t>(number);
  const auto is_its_hosts = [&](const given& other) {
    return other.order.host == order.order.host;
  };
  // Of two that were under way at once nobody knows which came first.
  const auto is_undone_since =
      std::any_of(std::next(at), orders_.end(), is_its_hosts) ||
      std::any_of(first, at, [&](const given& earlier) {
        return is_its_hosts(earlier) && earlier.done_at.value_or(now) >= order.wanted_at;
      });
  if (!is_undone_since)
    impose(order, now);
}

void delivery_bans::failed(std::size_t number, moment now) {
  auto& order = orders_.at(number);
  if (std::exchange(order.is_open, false))
    order.done_at = now;
}

void delivery_bans::impose(const given& done, moment now) {
  auto& of = bans_[done.order.host];
  switch (done.order.kind) {
  case host_order_kind::pause:
    of.paused_at = now;
    return;
  case host_order_kind::block:
    of.blocked_at = now;
    return;
  case host_order_kind::drain:
    of.drained_at = now;
    return;
  case host_order_kind::flush:
    of.flushed_at = done.wanted_at;
    return;
  case host_order_kind::limit:
    of.in_flight = done.order.in_flight;
    of.per_s = done.order.per_s;
    return of.sent.clear();
  default:
    return;
  }
}

void delivery_bans::node_died(moment now) {
  for (auto& order : orders_)
    if (std::exchange(order.is_open, false))
      order.done_at = now;
  for (auto& [host, of] : bans_) {
    of.sent.clear();
    of.signed_lately.clear();
  }
  forbidden_.clear(); // what replaced it may be forgotten with it
}

void delivery_bans::forget_replaced(const std::string& host) {
  bans_[host].sent.clear();
  bans_[host].signed_lately.clear();
  std::erase_if(forbidden_,
                [&](const auto& each) { return each.first.starts_with("https://" + host + "/"); });
}

void delivery_bans::count(bans& of, const sending& what, moment now) {
  of.sent.erase(of.sent.begin(), of.sent.upper_bound(now - 1s));
  std::erase_if(of.signed_lately,
                [now](const auto& each) { return each.second.first <= now - 1s; });
  const auto [unit, is_new] = of.signed_lately.try_emplace({what.url, what.number}, now, false);
  if (is_new || std::exchange(unit->second.second, true))
    of.sent.insert(now);
}

std::optional<std::string> delivery_bans::refuse(const sending& what, const written_row& row,
                                                 moment now) {
  auto& of = bans_[what.host];
  count(of, what, now);
  if (is_forbidden(what.url, what.number))
    return "sent although it was superseded before";
  if (of.paused_at)
    return "sent to a paused host";
  if (of.blocked_at && now > *of.blocked_at + block_takes)
    return "sent to a blocked host";
  if (of.drained_at && row.written_at > *of.drained_at)
    return "sent to a drained host";
  for (const auto& [since, until] : of.drains)
    if (row.written_at > since && row.acked_at && *row.acked_at < until)
      return "sent after a drain had cancelled it";
  if (of.flushed_at && row.acked_at && *row.acked_at < *of.flushed_at &&
      !is_kept_by_flush(row.draft.kind))
    return "sent after it was flushed";
  if (of.in_flight && what.in_flight > *of.in_flight)
    return "more in flight than the limit";
  if (of.per_s && static_cast<std::int64_t>(of.sent.size()) > *of.per_s)
    return "more in a second than the limit";
  return std::nullopt;
}

/// Returns until when what `begin` ordered may have been in force. An end that was ordered before
/// `begin` was answered may have come before it.
delivery_bans::moment delivery_bans::end_of(const given& begin, host_order_kind end) const {
  const auto first = orders_.begin() + (&begin - orders_.data());
  const auto ended = std::find_if(first, orders_.end(), [&](const given& each) {
    return each.order.host == begin.order.host && each.order.kind == end && each.is_done &&
           begin.done_at && each.wanted_at >= *begin.done_at;
  });
  return ended == orders_.end() ? moment::max() : *ended->done_at;
}

bool delivery_bans::excuses(const std::string& host, const written_row& row) const {
  return std::ranges::any_of(orders_, [&](const given& each) {
    if (each.order.host != host)
      return false;
    switch (each.order.kind) {
    case host_order_kind::block: // a stale list of blocks cancels a little longer
      return row.written_at <=
             std::min(end_of(each, host_order_kind::unblock), moment::max() / 2) + 2 * block_takes;
    case host_order_kind::drain:
      return (!row.acked_at || *row.acked_at >= each.wanted_at) &&
             row.written_at <= end_of(each, host_order_kind::resume);
    case host_order_kind::flush:
      return row.written_at <= each.done_at.value_or(moment::max()) &&
             !is_kept_by_flush(row.draft.kind);
    default:
      return false;
    }
  });
}

} // namespace trunkline::kit
