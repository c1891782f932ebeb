// Which shards of hosts are here: they come, and leave.
#include "actors/dispatcher.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "protocol/shard.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

/// Tells whether the books hold the shard.
bool dispatcher_state::is_known(std::uint8_t shard) const {
  return books_.held()[shard];
}

void dispatcher_state::own(const shard_set& wanted) {
  const auto gained = wanted & phases_.all(shard_phase::elsewhere);
  phases_.set(gained, shard_phase::loading);
  if (has_->places)
    has_->places->add(gained);
  load();
}

/// A read that failed is tried again by the next tick; what comes meanwhile is read next.
void dispatcher_state::load() {
  const auto wanted = phases_.all(shard_phase::loading);
  if (!begun_ || wanted.none() || std::exchange(is_loading_, true))
    return;
  loading_ = wanted;
  auto question = query<loaded_books>{[wanted](database& db) { return read_books(db, wanted); }};
  ask_storage(self_, has_->storage, std::move(question), [this](caf::expected<loaded_books> read) {
    is_loading_ = false;
    if (!read) {
      ++counters_.failed;
      return;
    }
    begin_with(std::move(*read), loading_);
    load();
  });
}

/// Of `gained` some may have been given up since they were asked for: they are in it no more.
void dispatcher_state::begin_with(loaded_books read, const shard_set& gained) {
  if (gained.none())
    return;
  if (has_->blocked && !std::exchange(loaded_, true))
    has_->blocked->replace(std::move(read.blocked));
  loaded_ = true;
  books_.add(gained);
  phases_.set(gained, shard_phase::here);
  for (auto& mark : read.books.marks)
    if (gained[mark.shard])
      books_.load(std::move(mark));
  const auto now = has_->clock();
  std::erase_if(read.waiting, [&](const auto& each) { return !gained[host_shard(each.address)]; });
  for (const auto& each : read.waiting) {
    auto& host = know(each.id, each.address);
    if (each.is_held)
      host.held_until = each.next_try_at > now ? each.next_try_at : now;
    look_after(each.id, host, each.next_try_at.value_or(time_point{}));
  }
  for (auto& row : read.books.backlogs)
    if (const auto known = hosts_.find(row.host);
        known != hosts_.end() && gained[known->second.shard])
      books_.load(std::move(row), known->second.shard);
  for (const auto& each : read.waiting)
    if (each.exceptions > 0)
      books_.load_exceptions(each.id, host_shard(each.address), each.exceptions);
  for (const auto& each : read.drained)
    if (gained[each.shard])
      drained_.emplace(each.id, each);
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard)
    if (gained[shard])
      earlier_upto_[shard] = read.newest;
  seek();
  answer_waiting();
  wake_hosts();
  read_again();
  read_board(gained);
}

/// The log is read from where the last shard is. What is under way is read again: it does not have
/// what lies before it.
void dispatcher_state::seek() {
  const auto start = books_.start();
  if (start == dispatched_)
    return;
  ++readings_;
  reading_ = asking_ = is_stuck_ = false;
  rows_.clear();
  batch_.clear();
  reached_ = std::max(reached_, dispatched_);
  taken_ = dispatched_ = start;
  is_unsure_ = true;
}

/// First nothing more may begin there, then what is under way ends: the region starts no actor once
/// `places` say so, and what it has by then is told to stop.
caf::result<void> dispatcher_state::give_up(const shard_set& wanted) {
  if ((wanted & phases_.all(shard_phase::leaving)).any())
    return make_error(errc::unavailable, "dispatcher: some of these shards are given up already");
  const auto left = wanted & ~phases_.all(shard_phase::elsewhere);
  if (left.none())
    return caf::unit;
  phases_.set(left, shard_phase::leaving);
  loading_ &= ~left;
  books_.close(left);
  if (has_->places)
    has_->places->remove(left);
  refuse_waiting(left);
  const auto leaving = std::make_shared<leaving_shards>(leaving_shards{
      .shards = left, .reply = self_->make_response_promise<caf::unit_t>(), .written_by = {}});
  leaving_.push_back(leaving);
  const auto reply = leaving->reply;
  if (!has_->stopper) {
    stopped(leaving);
    return reply;
  }
  self_
      ->request(has_->stopper, options_.stop_max,
                stop_hosts{[left](const host_address& host) { return left[host_shard(host)]; }})
      .then([this, leaving] { stopped(leaving); },
            [this, leaving](const caf::error& failure) { keep(leaving, failure); });
  return reply;
}

void dispatcher_state::refuse_waiting(const shard_set& left) {
  std::erase_if(adopting_, [&](waiting_cursor& waiting) {
    if (!left[host_shard(waiting.host)])
      return false;
    waiting.reply.deliver(
        make_error(errc::unavailable, to_name(waiting.host) + ": is not of this node"));
    return true;
  });
}

/// What the hosts told before they were gone was taken before this answer of their region.
void dispatcher_state::stopped(const leaving_ptr& leaving) {
  leaving->written_by = loaded_ ? writes_ : 0;
  if (loaded_)
    write();
  else
    let_go_written(); // there are no books
}

/// They stay, and are handed what came meanwhile.
void dispatcher_state::keep(const leaving_ptr& leaving, const caf::error& failure) {
  std::erase(leaving_, leaving);
  const auto kept = leaving->shards;
  phases_.set(kept & books_.held(), shard_phase::here);
  phases_.set(kept & ~books_.held(), shard_phase::loading);
  books_.reopen(kept);
  if (has_->places)
    has_->places->add(kept);
  const auto now = has_->clock();
  for (auto& [id, host] : hosts_)
    if (kept[host.shard])
      look_after(id, host, std::max(host.held_until.value_or(now), now));
  leaving->reply.deliver(failure == caf::sec::request_timeout
                             ? make_error(errc::timed_out, "dispatcher: hosts did not stop in time")
                             : failure);
  seek();
  pump();
  load();
}

/// After a checkpoint, while none is under way. Tells whether some shards wait for the next one.
bool dispatcher_state::let_go_written() {
  auto waits = false;
  for (const auto& each : std::exchange(leaving_, {}))
    if (each->written_by && *each->written_by < writes_) {
      let_go(each->shards);
      each->reply.deliver(caf::unit);
    } else {
      waits = waits || each->written_by;
      leaving_.push_back(each);
    }
  return waits;
}

void dispatcher_state::let_go(const shard_set& left) {
  for (const auto id : books_.forget(left)) {
    unseen_.erase(id);
    settling_.erase(id);
  }
  std::erase_if(hosts_, [&](const auto& each) {
    if (!left[each.second.shard])
      return false;
    ids_.erase(each.second.address);
    settling_.erase(each.first);
    return true;
  });
  std::erase_if(drained_, [&](const auto& each) { return left[each.second.shard]; });
  std::erase_if(dead_letters_, [&](const auto& each) { return left[each.second.shard]; });
  board_wanted_ &= ~left;
  board_pages_ &= ~left;
  if (has_->board)
    has_->board->forget([&](const host_address& host) { return left[host_shard(host)]; });
  phases_.set(left, shard_phase::elsewhere);
}

} // namespace trunkline
