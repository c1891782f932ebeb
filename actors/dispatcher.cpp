#include "actors/dispatcher.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "storage/delivery_store.hpp"
#include "storage/log_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

dispatcher_state::~dispatcher_state() {
  for (auto& waiting : adopting_)
    waiting.reply.deliver(make_error(errc::unavailable, "dispatcher: shutting down"));
  for (auto* replies : {&flushing_, &flushing_next_})
    for (auto& reply : *replies)
      reply.deliver(make_error(errc::unavailable, "dispatcher: shutting down"));
  for (auto& leaving : leaving_)
    leaving->reply.deliver(make_error(errc::unavailable, "dispatcher: shutting down"));
}

dispatcher_handle::behavior_type
dispatcher_state::make_behavior(std::shared_ptr<const dispatcher_dependencies> dependencies,
                                dispatcher_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  books_ = delivery_books{options.books, {}};
  if (options.owns_all)
    phases_.set(all_shards(), shard_phase::loading);
  recipients_ = recipient_book{options.endpoints_max};
  return {
      [this](begin_delivery) { start(); },
      [this](dispatch_rows& news) { take(news); },
      [this](const host_progress& news) { take(news); },
      [this](const adopt_host& wish) { return adopt(wish); },
      [this](const ask_open_units& wish) { return tell_open(wish); },
      [this](flush_books) { return flush(); },
      [this](const own_host_shards& news) { own(news.shards); },
      [this](const give_up_host_shards& wish) { return give_up(wish.shards); },
      [this](describe_dispatcher) { return describe(); },
      [this](checkpoint_due due) { due.is_early ? write() : tick(); },
  };
}

void dispatcher_state::start() {
  if (std::exchange(begun_, true))
    return;
  cleared_at_ = has_->clock();
  self_->delayed_send(self_, options_.checkpoint_interval, checkpoint_due{});
  if (has_->places)
    has_->places->add(phases_.all(shard_phase::loading));
  load();
}

/// A hint: what does not join on, or has no room, is read from the log.
void dispatcher_state::take(dispatch_rows& news) {
  seen_ = std::max(seen_, news.upto);
  const auto joins = loaded_ && !reading_ && !is_unsure_ && news.previous <= taken_;
  if (news.upto <= taken_)
    return;
  if (joins && rows_.size() + news.rows.size() <= options_.rows_max) {
    for (auto& row : news.rows)
      if (row.seq > taken_)
        rows_.push_back(std::move(row));
    taken_ = news.upto;
  } else {
    counters_.dropped += static_cast<std::int64_t>(news.rows.size());
  }
  pump();
}

void dispatcher_state::read_again() {
  if (!wants_to_read())
    return;
  reading_ = true;
  auto question =
      query<deliverable_rows>{[after = taken_, most = options_.rows_max / 2](database& db) {
        return read_deliverable(db, after, most);
      }};
  ask_storage(self_, has_->storage, std::move(question),
              [this, seen = seen_, reading = readings_](caf::expected<deliverable_rows> read) {
                if (reading != readings_)
                  return;
                reading_ = false;
                if (read)
                  return take_read(std::move(*read), seen);
                ++counters_.failed;
              });
}

bool dispatcher_state::wants_to_read() const {
  return loaded_ && books_.held().any() && !reading_ && (is_unsure_ || taken_ < seen_) &&
         rows_.size() <= options_.rows_max / 2;
}

/// Rows that were committed while the log was read were told by hints meanwhile: what was `seen`
/// before it, and is not in it, does not exist, but what was seen since is read next.
void dispatcher_state::take_read(deliverable_rows read, log_seq seen) {
  const auto is_end = read.rows.size() < options_.rows_max / 2;
  std::ranges::move(read.rows, std::back_inserter(rows_));
  taken_ = std::max(taken_, read.upto);
  if (is_end) {
    is_unsure_ = false;
    if (seen_ == seen)
      seen_ = std::min(seen_, taken_);
  }
  pump();
}

void dispatcher_state::pump() {
  while (loaded_ && !asking_ && outstanding_ < options_.outstanding_max && !rows_.empty()) {
    recipients_.make_room();
    batch_.clear();
    while (!rows_.empty() && batch_.size() < options_.batch_max) {
      batch_.push_back(std::move(rows_.front()));
      rows_.pop_front();
    }
    batch_upto_ = rows_.empty() ? taken_ : batch_.back().seq;
    ask_recipients();
  }
  if (loaded_ && !asking_ && rows_.empty()) {
    dispatched_ = taken_;
    books_.advance(dispatched_);
  }
  read_again();
}

void dispatcher_state::ask_recipients() {
  auto wanted = recipients_.missing_for(batch_);
  if (wanted.empty())
    return expand({});
  asking_ = true;
  auto question =
      query<found_recipients>{[wanted](database& db) { return read_recipients(db, wanted); }};
  ask_storage(self_, has_->storage, std::move(question),
              [this, wanted, reading = readings_](caf::expected<found_recipients> found) {
                if (reading != readings_)
                  return;
                if (!found) { // the next tick asks again
                  ++counters_.failed;
                  is_stuck_ = true;
                  return;
                }
                asking_ = false;
                recipients_.put(wanted, *found);
                expand(found->present);
                pump();
              });
}

/// Hands the batch to its hosts, one message each. Hosts elsewhere are nobody's here, and those
/// that had a row already are not looked at.
void dispatcher_state::expand(const std::map<account_id, std::vector<endpoint_id>>& present) {
  for (const auto& row : batch_) {
    ++counters_.rows;
    recipients_.of(row, present, owed_);
    for (const auto* to : owed_)
      expand(row, *to);
  }
  batch_.clear();
  dispatched_ = batch_upto_;
  books_.advance(dispatched_);
  for (auto& offered : offers_)
    offer(std::move(offered));
  offers_.clear();
}

void dispatcher_state::expand(const log_entry& row, const endpoint_on_host& to) {
  if (!books_.wants(to.shard, row.cls, row.seq))
    return;
  const auto id = to.endpoint->host;
  const auto unit = delivery_unit{.seq = row.seq,
                                  .author = row.author,
                                  .cls = row.cls,
                                  .kind = row.kind,
                                  .object = row.object,
                                  .at = row.at,
                                  .to = to.endpoint};
  auto& host = know(id, to.host);
  if (!drained_.empty())
    if (const auto drained = drained_.find(id); drained != drained_.end() &&
                                                row.seq > drained->second.after &&
                                                books_.cancel(id, host.shard, unit))
      return;
  const auto previous = host.offer_at == 0 ? books_.offered_upto(id) : offered_before{};
  if (!books_.offer(id, host.shard, unit))
    return;
  if (host.offer_at == 0) {
    offers_.push_back({.host = id, .previous = previous, .units = {}});
    host.offer_at = offers_.size();
  }
  offers_[host.offer_at - 1].units.push_back(unit);
}

/// A host to which nothing is sent now is not told: the books have counted, and it is looked after
/// when it is due.
void dispatcher_state::offer(new_units offered) {
  const auto id = offered.host;
  auto& host = hosts_.at(id);
  host.offer_at = 0;
  counters_.units += static_cast<std::int64_t>(offered.units.size());
  const auto now = has_->clock();
  if (host.held_until && *host.held_until > now) {
    host.withheld = true;
    return look_after(id, host,
                      std::min(host.look_at.value_or(*host.held_until), *host.held_until));
  }
  ++outstanding_;
  look_after(id, host, now + options_.silence_max);
  auto message = offer_units{.host = host.address,
                             .id = id,
                             .previous = offered.previous,
                             .units = std::move(offered.units),
                             .settled = books_.settled_after(id, offered.previous)};
  self_->request(has_->hosts, caf::infinite, std::move(message))
      .then(
          [this] {
            --outstanding_;
            pump();
          },
          [this, id](const caf::error&) {
            --outstanding_;
            refused(id);
            pump();
          });
}

dispatcher_report dispatcher_state::describe() const {
  auto report = counters_;
  report.dispatched = std::max(dispatched_, reached_);
  report.outstanding = outstanding_;
  report.hosts_open = static_cast<std::int64_t>(books_.hosts_open());
  report.hosts_behind = static_cast<std::int64_t>(books_.hosts_behind());
  report.sums = books_.sums();
  report.shards = static_cast<std::int64_t>(phases_.all(shard_phase::here).count());
  report.mailbox = static_cast<std::int64_t>(self_->mailbox().size());
  return report;
}

dispatcher_handle::behavior_type
dispatcher(watched_pointer<dispatcher_handle, dispatcher_state> self,
           std::shared_ptr<const dispatcher_dependencies> dependencies,
           dispatcher_options options) {
  self->set_label("dispatcher");
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
