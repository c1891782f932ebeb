// How much may be under way to a host, and the places of the node's budgets that it takes.
#include "actors/remote_host_core.hpp"

#include "actors/messages.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

bool remote_host_core::is_failing() const {
  return is_failing_ || facts_.fail_streak > 0 || is_withheld(facts_.state);
}

/// Requests that may be out: one while the host fails.
std::int64_t remote_host_core::limit() const {
  const auto own = is_failing() ? 1 : window_.size();
  return std::min(own, facts_.limit_in_flight.value_or(own));
}

bool remote_host_core::may_send(time_point now) const {
  const auto is_over = [now](std::optional<time_point> wait) { return !wait || *wait <= now; };
  return !facts_.paused && is_over(not_before_) && is_over(held_until_) &&
         is_over(facts_.next_try_at);
}

bool remote_host_core::may_begin() const {
  return !facts_.limit_per_s || steady() >= places_.next_begin;
}

budget_kind remote_host_core::kind_of_next(bool is_fetch) const {
  if (is_withheld(facts_.state))
    return is_fetch ? budget_kind::retry : budget_kind::probe;
  if (is_failing())
    return budget_kind::retry;
  return facts_.state == host_state::unproven ? budget_kind::unproven : budget_kind::healthy;
}

/// Tells whether there is a place of this kind; otherwise it comes as a message.
bool remote_host_core::get_place(budget_kind kind) {
  if (places_.free && places_.kind == kind)
    return true;
  places_.free.reset();
  auto& asked = places_.asked[static_cast<std::size_t>(kind)];
  if (asked)
    return false;
  places_.free =
      has_.budget->take(kind, domain_, [me = remote_host_handle{self_}, kind](auto place) {
        caf::anon_send(me, place_granted{kind, std::move(place)});
      });
  places_.kind = kind;
  asked = !places_.free;
  return places_.free != nullptr;
}

/// A place of a kind that is not needed any more goes back by itself.
void remote_host_core::take(place_granted& news) {
  places_.asked[static_cast<std::size_t>(news.kind)] = false;
  places_.free = std::move(news.place);
  places_.kind = news.kind;
  pump();
  places_.free.reset();
}

/// A request begins with the place that was got for it.
host_exchange& remote_host_core::begin_exchange(bool is_probe) {
  if (facts_.limit_per_s)
    places_.next_begin = steady() + gap_of(*facts_.limit_per_s);
  if (is_probe)
    apply(host_event::retry_due, "probe");
  auto& open = exchanges_.emplace_back();
  open.id = ++newest_;
  open.is_probe = is_probe;
  open.may_be_slow = places_.kind != budget_kind::probe;
  open.place = std::exchange(places_.free, nullptr);
  return open;
}

host_exchange* remote_host_core::find_exchange(exchange_id id) {
  const auto found = std::ranges::find(exchanges_, id, &host_exchange::id);
  return found == exchanges_.end() ? nullptr : &*found;
}

std::optional<host_exchange> remote_host_core::end_exchange(exchange_id id) {
  const auto found = std::ranges::find(exchanges_, id, &host_exchange::id);
  if (found == exchanges_.end())
    return std::nullopt;
  auto ended = std::optional{std::move(*found)};
  if (found != std::prev(exchanges_.end()))
    *found = std::move(exchanges_.back());
  exchanges_.pop_back();
  return ended;
}

/// Signed and sent without another word of this actor.
void remote_host_core::send(exchange_id id, sign_request wish, outgoing_request request) {
  auto* open = find_exchange(id);
  request.id = open->request = next_request_id();
  open->sent_at = steady();
  watch_slow();
  const auto me = remote_host_handle{self_};
  auto done = [me, id](exchange_outcome outcome) {
    caf::anon_send(me, exchange_ended{id, std::move(outcome), {}});
  };
  if (open->fetch && !open->fetch->wanted.is_signed)
    return sender_->send(std::move(request), std::move(done));
  self_->send(has_.signing,
              sign_and_send{.wish = std::move(wish),
                            .request = std::move(request),
                            .sender = sender_,
                            .done = std::move(done),
                            .unsent = unsent_reply{[me, id](const caf::error& failure) {
                              caf::anon_send(me, exchange_ended{id, {}, failure});
                            }}});
}

/// What is not on the wire yet goes back to where it came from.
void remote_host_core::bar_unsent() {
  if (!exchanges_.empty())
    sender_->bar();
}

std::chrono::microseconds remote_host_core::slow_after() const {
  return std::min<microseconds>(
      options_.slow_most, std::max<microseconds>(options_.slow_least, 4 * window_.mean_latency()));
}

/// One timer for all requests of the host.
void remote_host_core::watch_slow() {
  if (places_.watched)
    return;
  auto first = std::optional<steady_time>{};
  for (const auto& open : exchanges_)
    if (open.may_be_slow && open.sent_at)
      first = std::min(first.value_or(*open.sent_at), *open.sent_at);
  if (!first)
    return;
  places_.watched = true;
  const auto wait = std::chrono::ceil<microseconds>(*first + slow_after() - steady());
  self_->delayed_send(self_, std::max<microseconds>(wait, std::chrono::milliseconds{1}),
                      host_timer{.epoch = 0, .alarm = host_alarm::slow});
}

/// Who is slow gives up its place to others; when there is no room for it, it is asked again.
void remote_host_core::look_for_slow() {
  places_.watched = false;
  const auto now = steady();
  const auto limit = slow_after();
  const auto patience = std::clamp<microseconds>(4 * window_.mean_latency(),
                                                 options_.patience_least, options_.slow_most);
  for (auto& open : exchanges_) {
    if (!open.may_be_slow || !open.sent_at || now - *open.sent_at < limit)
      continue;
    const auto wait = has_.budget->slow_down(
        open.place, patience,
        [sender = has_.sender, request = open.request] { sender->cancel(request); });
    if (wait)
      open.sent_at = now + *wait - limit; // asked again as if it had been sent so late
    else
      open.may_be_slow = false;
  }
  watch_slow();
}

} // namespace trunkline
