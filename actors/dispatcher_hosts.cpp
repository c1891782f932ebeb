#include "actors/dispatcher.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/shard.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

dispatcher_state::known_host& dispatcher_state::know(host_id id, const host_address& address) {
  auto& host = hosts_[id];
  if (host.address.name.empty()) {
    host.address = address;
    host.shard = host_shard(address);
    ids_.emplace(address, id);
    settling_.insert(id);
  }
  return host;
}

void dispatcher_state::note_facts(const host_facts& facts, std::uint8_t shard) {
  books_.take(facts);
  if (facts.is_drained())
    drained_.insert_or_assign(facts.id, drained_host{facts.id, shard, *facts.drained_after});
  else
    drained_.erase(facts.id);
  const auto found = hosts_.find(facts.id);
  if (found == hosts_.end())
    return;
  auto& held_until = found->second.held_until;
  held_until.reset();
  if (facts.paused)
    held_until = has_->clock() + options_.pause_known;
  else if (is_withheld(facts.state))
    held_until = facts.next_try_at;
}

/// One entry per host is enough: an early one finds that it is early.
void dispatcher_state::look_after(host_id id, known_host& host, time_point at) {
  host.look_at = at;
  if (host.queued_at && *host.queued_at <= at)
    return;
  host.queued_at = at;
  looks_.emplace(at, id);
}

/// The units stay open; the host is looked after in a while.
void dispatcher_state::refused(host_id id) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end())
    return;
  heard_of(found->second);
  found->second.withheld = true;
  look_after(id, found->second, has_->clock() + options_.refused_wait);
}

void dispatcher_state::heard_of(known_host& host) {
  if (!std::exchange(host.is_waking, false) || waking_ == 0)
    return;
  --waking_;
  wake_hosts();
}

/// Wakes hosts that are due, and those that should have been heard of; a few at once, so that what
/// they read at their start does not come in one wave.
void dispatcher_state::wake_hosts() {
  const auto now = has_->clock();
  while (!looks_.empty() && looks_.top().first <= now && waking_ < options_.wakes_at_once) {
    const auto [at, id] = looks_.top();
    looks_.pop();
    const auto found = hosts_.find(id);
    if (found == hosts_.end() || found->second.queued_at != at)
      continue; // forgotten, or looked after earlier
    auto& host = found->second;
    host.queued_at.reset();
    if (host.look_at && *host.look_at > now)
      look_after(id, host, *host.look_at);
    else
      wake(id, host);
  }
}

void dispatcher_state::wake(host_id id, known_host& host) {
  if (phases_.of(host.shard) != shard_phase::here)
    return look_after(id, host, has_->clock() + options_.refused_wait);
  ++waking_;
  host.is_waking = true;
  look_after(id, host, has_->clock() + options_.silence_max);
  self_->request(has_->hosts, caf::infinite, wake_host{host.address})
      .then([] {}, [this, id](const caf::error&) { refused(id); });
}

/// Forgets the hosts for which nothing waits.
void dispatcher_state::forget_settled() {
  std::erase_if(settling_, [this](host_id id) {
    const auto host = hosts_.find(id);
    if (host == hosts_.end() || books_.is_open(id) || books_.exceptions(id) > 0)
      return true; // when it changes again it comes again
    if (books_.knows(id) || books_.has_unwritten(id))
      return false;
    ids_.erase(host->second.address);
    hosts_.erase(host);
    return true;
  });
}

/// Page by page, while rows are handed to hosts.
void dispatcher_state::read_board(const shard_set& gained) {
  if (!has_->board)
    return;
  board_wanted_ |= gained;
  board_is_read_ = false;
  if (std::exchange(board_is_reading_, true))
    return;
  board_pages_ = std::exchange(board_wanted_, {});
  read_page({});
}

void dispatcher_state::read_page(host_id after) {
  auto question =
      query<std::vector<listed_host>>{[after, most = options_.hosts_per_page](database& db) {
        return read_hosts(db, after, most);
      }};
  ask_storage(self_, has_->storage, std::move(question),
              [this, after](caf::expected<std::vector<listed_host>> page) {
                if (page)
                  return take_page(std::move(*page));
                ++counters_.failed;
                board_failed_at_ = after; // the next tick asks again
              });
}

void dispatcher_state::take_page(std::vector<listed_host> page) {
  const auto is_end = page.size() < options_.hosts_per_page;
  const auto last = page.empty() ? host_id{} : page.back().facts.id;
  for (auto& each : page) {
    const auto shard = host_shard(each.address);
    if (!board_pages_[shard] || !is_known(shard))
      continue;
    if (each.dead_letters > 0)
      dead_letters_.try_emplace(each.facts.id, kept_letters{shard, each.dead_letters});
    has_->board->load({.address = std::move(each.address),
                       .health = {.facts = each.facts},
                       .sums = {},
                       .exceptions = 0,
                       .dead_letters = each.dead_letters,
                       .oldest_at = {}});
  }
  if (!is_end)
    return read_page(last);
  board_is_reading_ = false;
  if (board_wanted_.any())
    return read_board({});
  board_is_read_ = true;
  feed_board();
}

/// Who does not say how many there are says what becomes of each.
void dispatcher_state::count_dead_letters(const host_progress& news) {
  const auto known = dead_letters_.find(news.id);
  auto letters = known == dead_letters_.end() ? 0 : known->second.count;
  for (const auto& change : news.exceptions) {
    letters += change.row && change.row->status == exception_status::dead;
    letters -= !change.row && !change.outcome;
  }
  letters = news.dead_letters.value_or(std::max<std::int64_t>(letters, 0));
  if (letters > 0)
    dead_letters_.insert_or_assign(news.id, kept_letters{host_shard(news.host), letters});
  else
    dead_letters_.erase(news.id);
}

/// The board learns what has changed once it has all hosts; who may have nothing any more is looked
/// at.
void dispatcher_state::feed_board() {
  if (has_->board && !board_is_read_)
    return;
  for (auto& each : books_.take_changes()) {
    settling_.insert(each.host);
    if (!has_->board)
      continue;
    const auto host = hosts_.find(each.host);
    if (const auto unseen = unseen_.find(each.host); unseen != unseen_.end()) {
      each.change.offered += unseen->second;
      unseen_.erase(unseen);
    }
    if (host == hosts_.end()) { // counted since before the start, and not read again yet
      if (books_.knows(each.host))
        unseen_.emplace(each.host, each.change.offered);
      continue;
    }
    const auto letters = dead_letters_.find(each.host);
    has_->board->note_books(each.host, host->second.address, each.change, each.exceptions,
                            letters == dead_letters_.end() ? 0 : letters->second.count,
                            each.oldest_at);
  }
}

} // namespace trunkline
