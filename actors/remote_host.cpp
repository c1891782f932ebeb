#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "storage/delivery_store.hpp"
#include "storage/host_store.hpp"

#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

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

bool is_same(const class_progress& one, const class_progress& other) {
  return one.received_upto == other.received_upto && one.first_open == other.first_open &&
         one.open == other.open;
}

} // namespace

remote_host_state::~remote_host_state() {
  for (auto& reply : asked_)
    reply.deliver(make_error(errc::unavailable, "host: shutting down"));
  for (auto& waiting : fetches_)
    waiting.reply.deliver(make_error(errc::unavailable, "host: shutting down"));
  for (auto& [id, open] : exchanges_)
    if (open.fetch)
      open.fetch->reply.deliver(make_error(errc::unavailable, "host: shutting down"));
}

remote_host_handle::behavior_type
remote_host_state::make_behavior(host_address address, remote_host_dependencies dependencies,
                                 remote_host_options options) {
  address_ = std::move(address);
  has_ = std::move(dependencies);
  options_ = options;
  queue_ = delivery_queue{options.queue};
  window_ = request_window{options.window};
  random_.seed(has_.seed ^ std::hash<host_address>{}(address_));
  active_at_ = has_.clock();
  self_->set_exit_handler([this](caf::exit_msg&) { stop(); });
  start();
  return {
      [this](const offer_units& news) { offer(news); },
      [this](const wake_host&) {
        told_ = {};
        pump();
      },
      [this](const note_sign_of_life&) { note_life(); },
      [this](fetch_document& wanted) { return fetch(wanted); },
      [this](const pause_host&) { return set_paused_to(true); },
      [this](const resume_host&) { return set_paused_to(false); },
      [this](const retry_host&) { return retry_now(); },
      [this](const describe_host&) { return describe(); },
      [this](host_timer due) {
        if (due.epoch != wake_epoch_)
          return;
        wake_at_.reset();
        if (!started_)
          return start();
        pump();
      },
      [this](exchange_ended& news) { ended(news); },
      [this](slot_granted& news) {
        waits_for_slot_ = false;
        slot_ = std::move(news.slot);
        pump();
      },
  };
}

/// Asks where it stands; tries again when nobody can say.
void remote_host_state::start() {
  self_->request(has_.dispatcher, options_.adopt_deadline, adopt_host{address_})
      .then([this](const host_cursor& cursor) { begin(cursor); },
            [this](const caf::error&) { start_later(); });
}

void remote_host_state::start_later() {
  expire_fetches(has_.clock());
  answer_asked();
  self_->delayed_send(self_, options_.local_retry, host_timer{++wake_epoch_});
}

void remote_host_state::begin(const host_cursor& cursor) {
  auto question = query<host_start>{[address = address_, most = options_.exceptions_max](
                                        database& db) { return read_start(db, address, most); }};
  ask_storage(self_, has_.storage, std::move(question),
              [this, cursor](caf::expected<host_start> read) {
                if (!read)
                  return start_later();
                if (read->facts) {
                  facts_ = *read->facts;
                  told_state_ = facts_.state;
                  window_.restore(facts_.window);
                }
                facts_.paused = paused_anew_.value_or(facts_.paused);
                if (std::exchange(retry_wanted_, false))
                  try_again_at(std::nullopt, "asked for");
                for (auto& each : read->exceptions)
                  exceptions_.emplace(each.unit.key(), waiting_exception{each.unit, each.row});
                report_.dead = read->dead;
                queue_.begin(delivery_class::direct, cursor.direct);
                queue_.begin(delivery_class::bulk, cursor.bulk);
                started_ = true;
                answer_asked();
                pump();
              });
}

/// What is under way comes to its end; nothing else begins.
void remote_host_state::stop() {
  stopping_ = true;
  for (auto& waiting : std::exchange(fetches_, {}))
    waiting.reply.deliver(make_error(errc::unavailable, to_name(address_) + ": shutting down"));
  end_if_stopped();
}

void remote_host_state::end_if_stopped() {
  if (stopping_ && exchanges_.empty())
    self_->quit(caf::exit_reason::user_shutdown);
}

/// A withheld host only counts; the log has it.
void remote_host_state::offer(const offer_units& news) {
  if (!facts_.id)
    facts_.id = news.id;
  active_at_ = has_.clock();
  queue_.offer(news.previous, news.units, !is_withheld(facts_.state));
  pump();
}

/// Something that was offered did not come: the books know what it was.
void remote_host_state::ask_again() {
  if (std::exchange(asking_again_, true))
    return;
  self_->request(has_.dispatcher, options_.adopt_deadline, adopt_host{address_})
      .then(
          [this](const host_cursor& now) {
            asking_again_ = false;
            queue_.resume(delivery_class::direct, now.direct);
            queue_.resume(delivery_class::bulk, now.bulk);
            pump();
          },
          [this](const caf::error&) {
            asking_again_ = false;
            not_before_ = has_.clock() + options_.local_retry;
            wake_later();
          });
}

void remote_host_state::pump() {
  if (!started_)
    return;
  if (stopping_) {
    slot_.reset();
    tell();
    return end_if_stopped();
  }
  expire_fetches(has_.clock());
  while (send_one()) {
  }
  slot_.reset(); // not needed by now
  if (facts_.state == host_state::recovering &&
      (window_.size() >= 8 || (queue_.is_empty() && exceptions_.empty())))
    apply(host_event::caught_up, "caught up");
  if (queue_.needs_cursor())
    ask_again();
  read_more();
  tell();
  wake_later();
}

/// Requests that may be out: one while the host fails.
std::int64_t remote_host_state::limit() const {
  const auto is_failing = is_withheld(facts_.state) || facts_.fail_streak > 0;
  return is_failing ? 1 : window_.size();
}

bool remote_host_state::may_send(time_point now) const {
  return !facts_.paused && (!not_before_ || *not_before_ <= now) &&
         (!facts_.next_try_at || *facts_.next_try_at <= now);
}

bool remote_host_state::get_slot() {
  if (slot_)
    return true;
  if (waits_for_slot_)
    return false;
  slot_ = has_.slots->take([me = remote_host_handle{self_}](ticket place) {
    caf::anon_send(me, slot_granted{std::move(place)});
  });
  waits_for_slot_ = !slot_;
  return slot_ != nullptr;
}

/// Sends the next thing, if there is one and room for it; tells whether to look again.
bool remote_host_state::send_one() {
  if (is_blocked())
    return cancel_one();
  const auto now = has_.clock();
  if (static_cast<std::int64_t>(exchanges_.size()) >= limit())
    return false;
  const auto wants_fetch = can_fetch(now);
  const auto is_probe = is_withheld(facts_.state);
  const auto may_deliver = may_send(now);
  const auto wants_unit = may_deliver && queue_.can_take();
  // No lane may pass while there is no room for another exception: they go first.
  const auto is_full = exceptions_.size() >= options_.exceptions_max;
  const auto exception = may_deliver && (!is_probe || !wants_unit || is_full)
                             ? due_exception(now, is_probe)
                             : std::nullopt;
  if (!wants_fetch && !wants_unit && !exception)
    return false;
  if (!get_slot())
    return false;
  fetched_last_ = wants_fetch && (!fetched_last_ || (!wants_unit && !exception));
  if (is_probe && (!fetched_last_ || failing_to_connect_))
    apply(host_event::retry_due, "probe");
  if (fetched_last_) {
    start_fetch();
    return true;
  }
  if (exception) {
    deliver({.unit = *exception}, true);
    return true;
  }
  auto item = queue_.take_next();
  if (joins(item->unit))
    except(std::move(*item), "waits for an earlier activity", 0);
  else
    deliver(std::move(*item), false);
  return true;
}

bool remote_host_state::is_blocked() const {
  return has_.blocked && has_.blocked->contains(address_.name);
}

/// What is owed to a blocked host is settled without a word to it; tells whether to look again.
bool remote_host_state::cancel_one() {
  for (auto& waiting : std::exchange(fetches_, {}))
    waiting.reply.deliver(make_error(errc::forbidden, to_name(address_) + ": is blocked"));
  if (!exceptions_.empty()) {
    drop_exception(delivery_unit{exceptions_.begin()->second.unit});
    return true;
  }
  if (!queue_.can_take())
    return false;
  settle(queue_.take_next()->unit);
  return true;
}

/// Reads from the log what was counted and not kept. A suspended host reads only for its probe.
void remote_host_state::read_more() {
  const auto now = has_.clock();
  if (facts_.paused || (is_withheld(facts_.state) && (!may_send(now) || queue_.waiting() > 0)))
    return;
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    const auto wish = queue_.wish(cls);
    if (!wish)
      continue;
    auto question = query<found_units>{
        [wanted = missed_units{facts_.id, cls, wish->from, wish->upto, options_.refill_units}](
            database& db) { return find_missed(db, wanted); }};
    ask_storage(self_, has_.storage, std::move(question),
                [this, wish = *wish](caf::expected<found_units> found) {
                  if (found) {
                    queue_.refilled(wish, found->units, found->read_upto);
                    return pump();
                  }
                  queue_.refill_failed(wish.cls);
                  not_before_ = has_.clock() + options_.local_retry;
                  report_.next_try_reason = "the log cannot be read";
                  wake_later();
                });
  }
}

void remote_host_state::tell() {
  if (!facts_.id)
    return;
  auto news = host_progress{.host = address_, .id = facts_.id};
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    auto position = queue_.position(cls);
    auto& told = told_[index_of(cls)];
    auto& settled = settled_[index_of(cls)];
    if (settled.empty() && is_same(position, told))
      continue;
    told = position;
    position.settled = std::exchange(settled, {});
    news.classes.push_back(std::move(position));
  }
  news.exceptions = std::exchange(changes_, {});
  news.exceptions_waiting = static_cast<std::int64_t>(exceptions_.size());
  if (std::exchange(facts_changed_, false)) {
    news.facts = facts_;
    news.facts->window = window_.size();
    if (facts_.state == host_state::probing)
      news.facts->state = host_state::suspended;
  }
  if (!news.classes.empty() || !news.exceptions.empty() || news.facts)
    self_->send(has_.dispatcher, std::move(news));
}

/// Arms the timer for whatever is due next.
void remote_host_state::wake_later() {
  const auto now = has_.clock();
  auto next = std::optional<time_point>{};
  const auto consider = [&](std::optional<time_point> at) {
    if (at && *at > now)
      next = std::min(next.value_or(*at), *at);
  };
  consider(facts_.next_try_at);
  consider(not_before_);
  for (const auto& [key, waiting] : exceptions_)
    consider(waiting.row.next_try_at);
  if (!fetches_.empty())
    consider(fetches_.front().due);
  const auto is_idle = queue_.is_empty() && exchanges_.empty() && fetches_.empty() &&
                       exceptions_.empty() && !waits_for_slot_;
  if (is_idle && now - active_at_ >= options_.idle_after)
    return self_->send(has_.region, passivate_host{address_, self_->id()});
  if (is_idle)
    consider(active_at_ + options_.idle_after);
  if (!next || (wake_at_ && *wake_at_ == *next))
    return;
  wake_at_ = next;
  self_->delayed_send(self_, *next - now, host_timer{++wake_epoch_});
}

remote_host_handle::behavior_type
remote_host(remote_host_handle::stateful_pointer<remote_host_state> self, host_address address,
            remote_host_dependencies dependencies, remote_host_options options) {
  return self->state.make_behavior(std::move(address), std::move(dependencies), options);
}

} // namespace trunkline
