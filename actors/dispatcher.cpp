#include "actors/dispatcher.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "protocol/shard.hpp"
#include "storage/delivery_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

caf::expected<loaded_books> read_books(database& db) {
  auto books = load_books(db);
  if (!books)
    return std::move(books.error());
  auto waiting = waiting_hosts(db);
  if (!waiting)
    return std::move(waiting.error());
  auto blocked = read_blocked_domains(db);
  if (!blocked)
    return std::move(blocked.error());
  return loaded_books{
      .books = std::move(*books), .blocked = std::move(*blocked), .waiting = std::move(*waiting)};
}

} // namespace

std::uint8_t dispatcher_state::shard_of(const host_address& host) {
  return host_shard(host.scheme, host.name, static_cast<std::uint16_t>(host.port));
}

dispatcher_state::~dispatcher_state() {
  for (auto& waiting : adopting_)
    waiting.reply.deliver(make_error(errc::unavailable, "dispatcher: shutting down"));
  for (auto* replies : {&flushing_, &flushing_next_})
    for (auto& reply : *replies)
      reply.deliver(make_error(errc::unavailable, "dispatcher: shutting down"));
}

dispatcher_handle::behavior_type
dispatcher_state::make_behavior(std::shared_ptr<const dispatcher_dependencies> dependencies,
                                dispatcher_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  books_ = delivery_books{options.books};
  recipients_ = recipient_book{options.endpoints_max};
  return {
      [this](begin_delivery) { start(); },
      [this](dispatch_rows& news) { take(news); },
      [this](const host_progress& news) { take(news); },
      [this](const adopt_host& wish) { return adopt(wish); },
      [this](flush_books) { return flush(); },
      [this](describe_dispatcher) { return describe(); },
      [this](checkpoint_due) { tick(); },
  };
}

void dispatcher_state::start() {
  if (std::exchange(begun_, true))
    return;
  cleared_at_ = has_->clock();
  self_->delayed_send(self_, options_.checkpoint_interval, checkpoint_due{});
  load();
}

/// A read that failed is tried again by the next tick.
void dispatcher_state::load() {
  if (std::exchange(reading_, true))
    return;
  ask_storage(self_, has_->storage, query<loaded_books>{read_books},
              [this](caf::expected<loaded_books> read) {
                reading_ = false;
                if (read)
                  return begin_with(std::move(*read));
                ++counters_.failed;
              });
}

void dispatcher_state::begin_with(loaded_books read) {
  if (has_->blocked)
    has_->blocked->replace(std::move(read.blocked));
  for (auto& mark : read.books.marks)
    books_.load(std::move(mark));
  for (auto& host : read.waiting) {
    ids_.emplace(host.address, host.id);
    hosts_[host.id] = {.address = host.address,
                       .shard = shard_of(host.address),
                       .look_at = host.next_try_at.value_or(has_->clock()),
                       .next_try_at = host.next_try_at,
                       .exceptions = 1}; // until it tells
  }
  for (auto& row : read.books.backlogs)
    if (const auto known = hosts_.find(row.host); known != hosts_.end())
      books_.load(std::move(row), known->second.shard);
  loaded_ = true;
  taken_ = dispatched_ = books_.start();
  books_.advance(dispatched_);
  for (auto& waiting : std::exchange(adopting_, {}))
    answer(std::move(waiting));
  read_again();
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
              [this, seen = seen_](caf::expected<deliverable_rows> read) {
                reading_ = false;
                if (read)
                  return take_read(std::move(*read), seen);
                ++counters_.failed;
              });
}

bool dispatcher_state::wants_to_read() const {
  return loaded_ && !reading_ && (is_unsure_ || taken_ < seen_) &&
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
              [this, wanted](caf::expected<found_recipients> found) {
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

/// Hands the batch to its hosts, one message each.
void dispatcher_state::expand(const std::map<account_id, std::vector<endpoint_id>>& present) {
  auto offers = std::map<host_id, new_units>{};
  for (const auto& row : batch_) {
    ++counters_.rows;
    for (const auto* to : recipients_.of(row, present)) {
      const auto host = to->endpoint->host;
      auto& known = hosts_[host];
      if (known.address.name.empty()) {
        known = {.address = to->host, .shard = shard_of(to->host)};
        ids_.emplace(to->host, host);
      }
      const auto unit = delivery_unit{.seq = row.seq,
                                      .author = row.author,
                                      .cls = row.cls,
                                      .kind = row.kind,
                                      .object = row.object,
                                      .at = row.at,
                                      .to = to->endpoint};
      const auto previous = books_.offered_upto(host);
      if (books_.offer(host, known.shard, unit))
        offers.try_emplace(host, new_units{.previous = previous})
            .first->second.units.push_back(unit);
    }
  }
  batch_.clear();
  dispatched_ = batch_upto_;
  books_.advance(dispatched_);
  for (auto& [host, offered] : offers)
    offer(host, std::move(offered));
}

/// A host that sleeps until its next try is not woken: the books have counted.
void dispatcher_state::offer(host_id id, new_units offered) {
  auto& host = hosts_.at(id);
  counters_.units += static_cast<std::int64_t>(offered.units.size());
  if (!host.awake && host.next_try_at && *host.next_try_at > has_->clock()) {
    host.withheld = true;
    return;
  }
  ++outstanding_;
  host.look_at = has_->clock() + options_.silence_max;
  auto message = offer_units{.host = host.address,
                             .id = id,
                             .previous = offered.previous,
                             .units = std::move(offered.units)};
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

/// The units stay open; the host is looked after in a while.
void dispatcher_state::refused(host_id id) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end())
    return;
  found->second.awake = false;
  found->second.withheld = true;
  found->second.look_at = has_->clock() + options_.refused_wait;
}

dispatcher_report dispatcher_state::describe() const {
  auto report = counters_;
  report.dispatched = dispatched_;
  report.outstanding = outstanding_;
  report.hosts_open = static_cast<std::int64_t>(books_.hosts_open());
  report.hosts_behind = static_cast<std::int64_t>(books_.hosts_behind());
  report.mailbox = static_cast<std::int64_t>(self_->mailbox().size());
  return report;
}

dispatcher_handle::behavior_type
dispatcher(dispatcher_handle::stateful_pointer<dispatcher_state> self,
           std::shared_ptr<const dispatcher_dependencies> dependencies,
           dispatcher_options options) {
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
