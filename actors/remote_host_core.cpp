#include "actors/remote_host_core.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "protocol/registrable_domain.hpp"
#include "storage/delivery_store.hpp"
#include "storage/host_store.hpp"

#include <caf/exit_reason.hpp>

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// What a host reads when it starts.
struct host_start {
  std::optional<host_facts> facts;
  std::vector<stored_exception> exceptions;
  std::int64_t dead = 0;
};

caf::expected<host_start> read_start(database& db, const host_address& address,
                                     std::size_t exceptions_max) {
  auto facts = find_host(db, address);
  if (!facts)
    return std::move(facts.error());
  auto start = host_start{.facts = *facts};
  if (!*facts)
    return start;
  auto exceptions = waiting_exceptions(db, (*facts)->id, exceptions_max);
  if (!exceptions)
    return std::move(exceptions.error());
  start.exceptions = std::move(*exceptions);
  auto dead = count_dead_letters(db, (*facts)->id);
  if (!dead)
    return std::move(dead.error());
  start.dead = *dead;
  return start;
}

/// Tells whether something that waits by itself is out of date since `newer` came.
bool replaces_any(const exception_queue& exceptions, const delivery_unit& newer) {
  return exceptions.holds(newer) &&
         std::ranges::any_of(exceptions.about(newer), [&](const waiting_exception& each) {
           return is_superseded(each.unit, newer);
         });
}

/// A window from which a host that recovers is as good as any other.
constexpr std::int64_t recovered_window = 8;

/// When an idle host is let go, unless something comes. What it asked of fetches is known to its
/// actor alone: strangers must not keep theirs for a day by asking.
time_point idle_until(time_point active_at, std::optional<time_point> fetch_not_before,
                      const remote_host_options& options) {
  const auto usual = active_at + options.idle_after;
  if (!fetch_not_before)
    return usual;
  return std::max<time_point>(
      usual, std::min<time_point>(*fetch_not_before, active_at + options.idle_waiting));
}

} // namespace

remote_host_core::~remote_host_core() {
  if (sender_)
    sender_->bar(); // what is being signed is its next life's to send
  for (auto& reply : news_.asked)
    reply.deliver(make_error(errc::unavailable, "host: shutting down"));
  for (auto& waiting : fetches_.waiting)
    waiting.reply.deliver(make_error(errc::unavailable, "host: shutting down"));
  for (auto& open : exchanges_)
    if (open.fetch)
      open.fetch->reply.deliver(make_error(errc::unavailable, "host: shutting down"));
}

void remote_host_core::set_up(host_address address, remote_host_dependencies dependencies,
                              remote_host_options options) {
  address_ = std::move(address);
  domain_ = registrable_domain(address_.name);
  has_ = std::move(dependencies);
  sender_ = std::make_shared<gated_sender>(has_.sender);
  options_ = options;
  queue_ = delivery_queue{options.queue};
  window_ = request_window{options.window};
  random_.seed(has_.seed ^ std::hash<host_address>{}(address_));
  active_at_ = has_.clock();
}

/// Asks where it stands; tries again when nobody can say.
void remote_host_core::start() {
  self_->request(has_.dispatcher, options_.adopt_deadline, adopt_host{address_})
      .then([this](const host_cursor& cursor) { begin(cursor); },
            [this](const caf::error&) { start_later(); });
}

void remote_host_core::start_later() {
  expire_fetches(has_.clock());
  answer_asked();
  self_->delayed_send(self_, options_.local_retry, host_timer{++wake_epoch_});
}

void remote_host_core::begin(const host_cursor& cursor) {
  auto question = query<host_start>{[address = address_, most = options_.exceptions_max](
                                        database& db) { return read_start(db, address, most); }};
  ask_storage(self_, has_.storage, std::move(question),
              [this, cursor](caf::expected<host_start> read) {
                if (!read)
                  return start_later();
                report_.dead = read->dead;
                queue_.begin(delivery_class::direct, cursor.direct, cursor.earlier_upto);
                queue_.begin(delivery_class::bulk, cursor.bulk, cursor.earlier_upto);
                if (read->facts)
                  begin_with(*read->facts);
                for (auto& each : read->exceptions)
                  begin_with(std::move(each));
                facts_.paused = early_.paused.value_or(facts_.paused);
                if (facts_.is_drained())
                  facts_.drained_upto = early_.drained_upto;
                if (std::exchange(early_.retry, false)) {
                  try_at_once("asked for");
                  news_.facts = true; // what was read may know of it; the dispatcher does not
                } else if (early_.life && is_withheld(facts_.state))
                  try_again_at(std::nullopt, "it sent something");
                started_ = discard_due_ = discard_exceptions_due_ = true;
                early_.doubted_at = steady();
                answer_asked();
                for (const auto& next : std::exchange(early_.when_started, {}))
                  next();
                pump();
              });
}

/// A host that was withheld stood since it began to fail at the earliest.
void remote_host_core::begin_with(const host_facts& facts) {
  facts_ = facts;
  news_.told_state = facts_.state;
  window_.restore(facts_.window);
  is_failing_ = facts_.fail_streak > 0;
  if (facts_.paused)
    paused_at_ = std::exchange(facts_.next_try_at, std::nullopt);
  if (facts_.paused || is_withheld(facts_.state))
    clock_stands_at_ = paused_at_ ? paused_at_ : facts_.first_fail_at;
  if (facts_.limit_per_s) // an earlier life may have sent a moment ago
    places_.next_begin = steady() + gap_of(*facts_.limit_per_s);
}

/// What waits in a row of its own is nothing of the queue's: a replay may have opened it again.
void remote_host_core::begin_with(stored_exception read) {
  if (read.is_gone)
    return news_.exceptions.push_back(
        {facts_.id, read.row.unit, std::nullopt, unit_outcome::expired, false});
  queue_.settle(read.unit);
  const auto unit = read.unit;
  const auto is_ordered = read.row.error.starts_with(ordered_again);
  exceptions_.put(
      {.unit = std::move(read.unit), .row = std::move(read.row), .is_ordered = is_ordered});
  if (replaces_others(unit.kind)) // maybe what was out when the node ended
    hold_exception(unit);
  replace_exceptions(unit);
}

/// What is under way comes to its end; nothing else begins.
void remote_host_core::stop() {
  stopping_ = true;
  places_.free.reset();
  for (auto& waiting : std::exchange(fetches_.waiting, {}))
    waiting.reply.deliver(make_error(errc::unavailable, to_name(address_) + ": shutting down"));
  if (started_)
    tell();
  end_if_stopped();
}

void remote_host_core::end_if_stopped() {
  if (stopping_ && exchanges_.empty())
    self_->quit(caf::exit_reason::user_shutdown);
}

/// A withheld host only counts; the log has it. What is not sent at all is looked at.
void remote_host_core::offer(const offer_units& news) {
  if (!facts_.id)
    facts_.id = news.id;
  active_at_ = has_.clock();
  const auto may_keep = !is_withheld(facts_.state) || is_blocked_ || facts_.is_drained();
  queue_.note_settled(delivery_class::direct, news.settled.direct);
  queue_.note_settled(delivery_class::bulk, news.settled.bulk);
  queue_.offer(news.previous, news.units, may_keep);
  discard_due_ = true;
  pump();
}

/// What the books say of it now.
void remote_host_core::learn(const host_cursor& now) {
  queue_.offer({now.direct.offered_upto, now.bulk.offered_upto}, {}, false);
  queue_.resume(delivery_class::direct, now.direct);
  queue_.resume(delivery_class::bulk, now.bulk);
}

/// Something that was offered did not come: the books know what it was.
void remote_host_core::ask_again() {
  if (std::exchange(asking_again_, true))
    return;
  self_->request(has_.dispatcher, options_.adopt_deadline, adopt_host{address_})
      .then(
          [this](const host_cursor& now) {
            asking_again_ = false;
            learn(now);
            pump();
          },
          [this](const caf::error&) {
            asking_again_ = false;
            wait_until(has_.clock() + options_.local_retry, "the books do not answer");
            wake_later();
          });
}

void remote_host_core::on_timer(host_timer due) {
  if (due.alarm == host_alarm::slow)
    return look_for_slow();
  if (due.alarm == host_alarm::tell) {
    news_.timer_at.reset();
    if (started_ && has_news())
      tell_now();
    return;
  }
  if (due.epoch != wake_epoch_)
    return;
  wakes_at_.reset();
  if (!started_)
    return start();
  pump();
}

void remote_host_core::pump() {
  if (!started_)
    return;
  if (stopping_) {
    places_.free.reset();
    tell();
    return end_if_stopped();
  }
  expire_fetches(has_.clock());
  note_blocked(is_blocked());
  discard();
  while (send_one()) {
  }
  places_.free.reset(); // not needed by now
  if (facts_.state == host_state::recovering &&
      (window_.size() >= recovered_window || (queue_.is_empty() && exceptions_.empty())))
    apply(host_event::caught_up, "caught up");
  if (queue_.needs_cursor())
    ask_again();
  read_more();
  tell();
  wake_later();
}

/// Sends the next thing, if there is one and room for it; tells whether to look again.
bool remote_host_core::send_one() {
  if (static_cast<std::int64_t>(exchanges_.size()) >= limit() || !may_begin())
    return false;
  const auto now = has_.clock();
  const auto is_probe = is_withheld(facts_.state);
  const auto may_deliver = may_send(now) && !is_blocked_;
  const auto wants_fetch = can_fetch(now);
  const auto wants_unit = may_deliver && queue_.can_take(old_may_go());
  // No lane may pass while there is no room for another exception: they go first.
  const auto exceptions_first = !wants_unit || exceptions_.size() >= options_.exceptions_max;
  const auto* exception = !may_deliver       ? nullptr
                          : !is_probe        ? exceptions_.due(now)
                          : exceptions_first ? exceptions_.for_probe()
                                             : nullptr;
  if (!wants_fetch && !wants_unit && !exception)
    return false;
  auto fetches = wants_fetch && (!fetches_.went_last || (!wants_unit && !exception));
  if (!get_place(kind_of_next(fetches))) {
    // Of a withheld host the two have places of two kinds.
    if (!is_probe || !wants_fetch || (!wants_unit && !exception) ||
        !get_place(kind_of_next(!fetches)))
      return false;
    fetches = !fetches;
  }
  fetches_.went_last = fetches;
  if (fetches)
    start_fetch();
  else if (exception && !old_may_go() && must_wait(exception->unit))
    hold_exception(exception->unit);
  else if (exception)
    deliver({.unit = exception->unit}, true);
  else
    deliver_next();
  return true;
}

void remote_host_core::deliver_next() {
  auto item = queue_.take_next(old_may_go());
  const auto& unit = item->unit;
  if (!old_may_go() && (replaces_any(exceptions_, unit) || must_wait(unit))) {
    item->replaces_old = true; // which holds it
    return queue_.put_back(std::move(*item));
  }
  replace_exceptions(item->unit);
  if (exceptions_.holds(item->unit))
    except(std::move(*item), "waits for an earlier activity", 0);
  else
    deliver(std::move(*item), false);
}

/// What replaced a unit of an earlier life waits until the peer is done with that; so does what
/// follows a request that was ended early.
bool remote_host_core::old_may_go() const {
  return steady() - early_.doubted_at >= options_.request_limit;
}

/// Tells whether the peer may be at work at something older of its object.
bool remote_host_core::must_wait(const delivery_unit& unit) const {
  const auto found = early_.doubtful.find({unit.to->id, unit.object});
  return found != early_.doubtful.end() && found->second < unit.seq;
}

/// Arms the timer for whatever is due next; one that rings earlier looks again then.
void remote_host_core::wake_later() {
  const auto wait = next_wake();
  if (!wait)
    return;
  const auto at = steady() + *wait;
  if (wakes_at_ && *wakes_at_ <= at)
    return;
  wakes_at_ = at;
  self_->delayed_send(self_, *wait, host_timer{++wake_epoch_});
}

/// Returns how long nothing is due; passivates an idle host.
std::optional<std::chrono::microseconds> remote_host_core::next_wake() const {
  const auto now = has_.clock();
  auto next = std::optional<microseconds>{};
  const auto consider = [&](std::optional<time_point> at) {
    if (at && *at > now)
      next = std::min(next.value_or(*at - now), *at - now);
  };
  const auto consider_steady = [&](steady_time at) {
    consider(now + std::chrono::ceil<microseconds>(at - steady()));
  };
  consider(facts_.next_try_at);
  consider(not_before_);
  consider(held_until_);
  if (!clock_stands_at_)
    consider(exceptions_.next_due());
  if (!fetches_.waiting.empty())
    consider(fetches_.waiting.front().due);
  if (facts_.limit_per_s)
    consider_steady(places_.next_begin);
  if ((queue_.waiting() > 0 || !early_.out.empty()) && !old_may_go())
    consider_steady(early_.doubted_at + options_.request_limit);
  const auto is_idle =
      queue_.is_empty() && exchanges_.empty() && fetches_.waiting.empty() && exceptions_.empty();
  const auto idle_end = idle_until(active_at_, fetches_.not_before, options_);
  if (is_idle && now >= idle_end)
    self_->send(has_.region, passivate_host{address_, self_->id()});
  else if (is_idle)
    consider(idle_end);
  return next;
}

} // namespace trunkline
