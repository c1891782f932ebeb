// What a host says of itself: to the books, to the board, and to whoever asks.
#include "actors/remote_host_core.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

bool is_same(const class_progress& one, const class_progress& other) {
  return one.received_upto == other.received_upto && one.first_open == other.first_open &&
         one.open == other.open && one.gone_upto == other.gone_upto;
}

bool is_same(const host_health_line& one, const host_health_line& other) {
  return one.facts == other.facts && one.latency == other.latency &&
         one.in_flight == other.in_flight && one.behind == other.behind &&
         one.last_error_at == other.last_error_at && one.last_error == other.last_error &&
         one.oldest_exception_at == other.oldest_exception_at;
}

} // namespace

/// Tells the dispatcher what it does not know yet. What is settled waits a moment for more; what
/// was only offered waits longer, for the books know of it.
void remote_host_core::tell() {
  take_replaced();
  if (!facts_.id || !has_news())
    return;
  const auto now = steady();
  const auto count = news_.size();
  if (stopping_ || count >= options_.told_at_once ||
      (count > 0 && now - news_.told_at >= options_.told_every))
    return tell_now();
  const auto wait = count > 0 ? options_.told_every : options_.shown_after;
  if (news_.timer_at && *news_.timer_at <= now + wait)
    return;
  news_.timer_at = now + wait;
  self_->delayed_send(self_, wait, host_timer{.epoch = 0, .alarm = host_alarm::tell});
}

bool remote_host_core::has_news() const {
  const auto moved = [this](delivery_class cls) {
    return !is_same(queue_.position(cls), news_.told[index_of(cls)]);
  };
  return news_.size() > 0 || moved(delivery_class::direct) || moved(delivery_class::bulk) ||
         (has_.board && (!news_.shown || !is_same(*news_.shown, health_line())));
}

void remote_host_core::tell_now() {
  if (!facts_.id)
    return;
  take_replaced();
  news_.told_at = steady();
  auto news = host_progress{.host = address_, .id = facts_.id};
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    auto position = queue_.position(cls);
    auto& told = news_.told[index_of(cls)];
    auto& settled = news_.settled[index_of(cls)];
    if (settled.empty() && is_same(position, told))
      continue;
    told = position;
    position.settled = std::exchange(settled, {});
    news.classes.push_back(std::move(position));
  }
  news.exceptions = std::exchange(news_.exceptions, {});
  news.reopened = std::exchange(news_.reopened, {});
  news.exceptions_waiting = static_cast<std::int64_t>(exceptions_.size());
  news.dead_letters = report_.dead;
  if (std::exchange(news_.facts, false))
    news.facts = stored_facts();
  show();
  if (!news.classes.empty() || !news.exceptions.empty() || !news.reopened.empty() || news.facts)
    self_->send(has_.dispatcher, std::move(news));
}

/// What the host's row says. Of a paused host the next try is when the pause began: nothing else is
/// tried, and the clocks of dormant and dead go on from there.
host_facts remote_host_core::stored_facts() const {
  auto facts = facts_;
  facts.window = window_.size();
  if (facts.state == host_state::probing)
    facts.state = news_.told_state;
  if (facts.paused)
    facts.next_try_at = paused_at_;
  return facts;
}

host_health_line remote_host_core::health_line() const {
  auto line = host_health_line{.facts = facts_,
                               .latency = window_.mean_latency(),
                               .in_flight = static_cast<std::int64_t>(exchanges_.size()),
                               .behind = queue_.is_behind(),
                               .last_error = news_.last_failure,
                               .last_error_at = {},
                               .oldest_exception_at = exceptions_.oldest_at()};
  line.facts.window = limit();
  line.facts.next_try_at = next_try();
  if (!report_.last_errors.empty())
    line.last_error_at = report_.last_errors.front().at;
  return line;
}

void remote_host_core::show() {
  if (!has_.board)
    return;
  auto line = health_line();
  if (news_.shown && is_same(*news_.shown, line))
    return;
  has_.board->put(address_, line);
  news_.shown = std::move(line);
}

/// Returns before when nothing is sent to the host; nothing of a paused one.
std::optional<time_point> remote_host_core::next_try() const {
  if (facts_.paused)
    return std::nullopt;
  auto next = facts_.next_try_at;
  for (const auto& wait : {held_until_, not_before_})
    if (wait && *wait > has_.clock())
      next = std::max(next.value_or(*wait), *wait);
  return next;
}

/// Before it has started it does not know.
caf::result<host_report> remote_host_core::describe() {
  if (started_)
    return make_report();
  if (news_.asked.size() >= options_.asked_max)
    return make_error(errc::unavailable, to_name(address_) + ": too many ask");
  news_.asked.push_back(self_->make_response_promise<host_report>());
  return news_.asked.back();
}

void remote_host_core::answer_asked() {
  for (auto& reply : std::exchange(news_.asked, {}))
    if (started_)
      reply.deliver(make_report());
    else
      reply.deliver(make_error(errc::unavailable, to_name(address_) + ": is starting"));
}

host_report remote_host_core::make_report() const {
  auto report = report_;
  report.host = address_;
  report.state = to_string(facts_.state);
  report.oldest_at = exceptions_.oldest_at();
  report.paused = facts_.paused;
  report.behind = queue_.is_behind();
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    const auto position = queue_.position(cls);
    report.waiting += position.open;
    if (position.oldest_at)
      report.oldest_at =
          std::min(report.oldest_at.value_or(*position.oldest_at), *position.oldest_at);
  }
  // Of a withheld host the books know what came since; of what waits by itself they hear later.
  const auto known_here = static_cast<std::int64_t>(exceptions_.size());
  const auto is_held = facts_.paused || is_withheld(facts_.state);
  if (const auto line = has_.board && is_held ? has_.board->find(address_) : std::nullopt) {
    report.waiting =
        std::max(report.waiting, line->sums.pending - std::max(line->exceptions, known_here));
    if (line->oldest_in_log)
      report.oldest_at =
          std::min(report.oldest_at.value_or(*line->oldest_in_log), *line->oldest_in_log);
  }
  report.window = limit();
  report.in_flight = static_cast<std::int64_t>(exchanges_.size());
  report.exceptions = known_here;
  report.next_try_at = next_try();
  if (!report.next_try_at)
    report.next_try_reason.clear();
  if (fetches_.not_before > has_.clock())
    report.fetch_not_before = fetches_.not_before;
  report.last_ok_at = facts_.last_ok_at;
  report.mailbox = static_cast<std::int64_t>(self_->mailbox().size());
  return report;
}

} // namespace trunkline
