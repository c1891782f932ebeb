#include "actors/dispatcher.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "actors/webhook_outbox.hpp"
#include "protocol/errc.hpp"
#include "protocol/shard.hpp"
#include "storage/delivery_store.hpp"
#include "storage/webhook_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

/// What a host tells proves that it runs: it learns of what it was not offered.
void dispatcher_state::take(const host_progress& news) {
  const auto shard = host_shard(news.host);
  if (!is_known(shard)) // nobody here knows where it stands
    return;
  const auto now = has_->clock();
  if (!news.reopened.empty() || !news.exceptions.empty())
    know(news.id, news.host);
  for (const auto& reopened : news.reopened) {
    const auto of_class = std::ranges::find(news.classes, reopened.cls, &class_progress::cls);
    books_.take(news.id, shard, reopened,
                of_class == news.classes.end() ? books_.handed_upto(shard, reopened.cls)
                                               : of_class->received_upto);
  }
  for (const auto& progress : news.classes)
    books_.take(news.id, progress, now);
  for (const auto& change : news.exceptions)
    books_.take(change, shard);
  count_dead_letters(news);
  if (news.facts)
    note_facts(*news.facts, shard);
  const auto found = hosts_.find(news.id);
  if (found == hosts_.end())
    return;
  auto& host = found->second;
  heard_of(host);
  count_settled(host, news);
  const auto is_held = host.held_until && *host.held_until > now;
  const auto due = is_held ? *host.held_until : now;
  look_after(news.id, host, host.withheld && is_held ? due : due + options_.silence_max);
  const auto is_here = phases_.of(shard) == shard_phase::here;
  if (is_here && !is_held && std::exchange(host.withheld, false))
    offer({.host = news.id, .previous = books_.offered_upto(news.id), .units = {}});
}

/// A crash forgets what was settled since the last checkpoint: of a host that takes much at once,
/// such as what had waited for a restart, that would be sent again.
void dispatcher_state::count_settled(known_host& host, const host_progress& news) {
  if (std::exchange(host.settled_after, writes_) != writes_)
    host.settled = 0;
  for (const auto& progress : news.classes)
    host.settled += progress.settled.size();
  if (host.settled < options_.settled_at_once || std::exchange(early_write_, writes_) == writes_)
    return;
  self_->delayed_send(self_, options_.early_after, checkpoint_due{.is_early = true});
}

/// A host that died told things that are not in the database yet: its next life reads them there.
caf::result<host_cursor> dispatcher_state::adopt(const adopt_host& wish) {
  const auto phase = phases_.of(host_shard(wish.host));
  if (phase == shard_phase::elsewhere || phase == shard_phase::leaving)
    return make_error(errc::unavailable, to_name(wish.host) + ": is not of this node");
  if (std::ranges::count(adopting_, wish.host, &waiting_cursor::host) >= options_.asks_max) {
    const auto first = std::ranges::find(adopting_, wish.host, &waiting_cursor::host);
    first->reply.deliver(make_error(errc::unavailable, "dispatcher: asked too often"));
    adopting_.erase(first);
  }
  auto reply = self_->make_response_promise<host_cursor>();
  if (is_written(wish.host)) {
    answer({wish.host, reply});
    return reply;
  }
  adopting_.push_back({wish.host, reply});
  if (loaded_)
    write();
  return reply;
}

bool dispatcher_state::is_written(const host_address& host) const {
  const auto known = ids_.find(host);
  return phases_.of(host_shard(host)) == shard_phase::here &&
         (known == ids_.end() || !books_.has_unwritten(known->second));
}

void dispatcher_state::answer(waiting_cursor waiting) {
  if (const auto known = ids_.find(waiting.host); known != ids_.end()) {
    auto& host = hosts_.at(known->second);
    host.withheld = false; // its cursor says all
    look_after(known->second, host, has_->clock() + options_.silence_max);
  }
  waiting.reply.deliver(cursor_of(waiting.host));
}

host_cursor dispatcher_state::cursor_of(const host_address& host) const {
  const auto known = ids_.find(host);
  const auto id = known == ids_.end() ? host_id{} : known->second;
  const auto shard = host_shard(host);
  return {.direct = books_.cursor(id, shard, delivery_class::direct),
          .bulk = books_.cursor(id, shard, delivery_class::bulk),
          .earlier_upto = earlier_upto_[shard]};
}

/// A host that is not known has nothing open but what it was not handed yet; nor has one of another
/// node, here.
open_units dispatcher_state::tell_open(const ask_open_units& wish) const {
  auto answer = open_units{};
  for (const auto& each : wish.units) {
    const auto known = hosts_.find(each.host);
    const auto shard = known == hosts_.end() ? host_shard(each.address) : known->second.shard;
    if (!is_known(shard)) {
      answer.open.push_back(false);
      continue;
    }
    const auto cursor = books_.cursor(each.host, shard, each.cls);
    const auto is_open = cursor.first_open && *cursor.first_open <= each.unit.seq &&
                         !std::ranges::binary_search(cursor.settled, each.unit);
    answer.open.push_back(is_open || each.unit.seq > books_.handed_upto(shard, each.cls));
  }
  return answer;
}

caf::result<void> dispatcher_state::flush() {
  if (!loaded_)
    return caf::unit; // nothing was told
  auto reply = self_->make_response_promise<caf::unit_t>();
  flushing_next_.push_back(reply);
  write();
  return reply;
}

void dispatcher_state::tick() {
  self_->delayed_send(self_, options_.checkpoint_interval, checkpoint_due{});
  load();
  if (!loaded_)
    return;
  read_blocks();
  const auto now = has_->clock();
  if (now - cleared_at_ >= options_.recipients_kept) {
    cleared_at_ = now;
    if (!asking_)
      recipients_.clear();
  }
  if (std::exchange(is_stuck_, false)) {
    asking_ = false;
    ask_recipients();
  }
  pump();
  waking_ = 0;
  wake_hosts();
  if (const auto after = std::exchange(board_failed_at_, {}))
    read_page(*after);
  feed_board();
  write();
}

/// Hosts stop what is owed to a domain within a second of its block.
void dispatcher_state::read_blocks() {
  if (!has_->blocked || !has_->blocked->take_stale())
    return;
  ask_storage(self_, has_->storage, query<blocked_domains::names>{read_blocked_domains},
              [blocked = has_->blocked](caf::expected<blocked_domains::names> read) {
                if (read)
                  return blocked->replace(std::move(*read));
                blocked->mark_stale();
              });
}

/// One checkpoint at a time. Hosts say what came of a delivery before they tell that it is settled:
/// all that they said so far goes with it.
void dispatcher_state::write() {
  if (writing_)
    return;
  writing_ = true;
  ++writes_;
  flushing_ = std::exchange(flushing_next_, {});
  auto books = books_.collect(has_->clock());
  auto events = has_->outbox ? has_->outbox->take() : std::vector<outbox_row>{};
  if (books.is_empty() && events.empty())
    return written(books, {});
  write(std::move(books), std::move(events));
}

void dispatcher_state::write(checkpoint books, std::vector<outbox_row> events) {
  struct changes {
    checkpoint books;
    std::vector<outbox_row> events;
  };
  const auto all = std::make_shared<const changes>(changes{std::move(books), std::move(events)});
  auto change = command<std::int64_t>{[all](write_context& context) -> caf::expected<std::int64_t> {
    auto last = std::int64_t{0};
    if (!all->events.empty()) {
      const auto added = add_to_outbox(context.db, all->events);
      if (!added)
        return added.error();
      last = *added;
    }
    if (auto failure = save_checkpoint(context.db, all->books))
      return failure;
    return last;
  }};
  ask_storage(self_, has_->storage, std::move(change),
              [this, all](const caf::expected<std::int64_t>& last) {
                if (has_->outbox && last)
                  has_->outbox->stored(*last);
                if (has_->outbox && !last) // a late job may still read them
                  has_->outbox->put_back(all->events);
                written(all->books, last ? caf::error{} : last.error());
              });
}

void dispatcher_state::written(const checkpoint& books, const caf::error& failure) {
  writing_ = false;
  if (failure) {
    ++counters_.failed;
    books_.failed(books);
  } else {
    counters_.checkpoints += !books.is_empty();
    counters_.rows_written += static_cast<std::int64_t>(books.rows());
    books_.committed(books);
    feed_board();
    forget_settled();
    answer_waiting();
  }
  for (auto& reply : std::exchange(flushing_, {})) {
    if (failure)
      reply.deliver(failure);
    else
      reply.deliver(caf::unit);
  }
  const auto waits = !failure && let_go_written(); // what failed is left to the next tick
  if (waits || !flushing_next_.empty())
    write();
}

void dispatcher_state::answer_waiting() {
  for (auto& waiting : std::exchange(adopting_, {}))
    if (is_written(waiting.host))
      answer(std::move(waiting));
    else
      adopting_.push_back(std::move(waiting));
}

} // namespace trunkline
