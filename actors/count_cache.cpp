#include "actors/count_cache.hpp"

#include <utility>

namespace trunkline {

namespace {

/// A lease under which nothing is kept.
constexpr auto no_lease = std::uint64_t{0};

} // namespace

count_cache::count_cache(std::shared_ptr<const log_position> position, count_cache_options options,
                         steady_clock clock)
    : position_{std::move(position)}, clock_{std::move(clock)}, accounts_{options.accounts_max},
      posts_{options.posts_max} {}

template <class Id, class Counts>
std::optional<Counts> count_cache::find_in(counts_map<Id, Counts>& in, Id id) {
  auto counts = std::optional<Counts>{};
  if (position_->is_current(clock_())) {
    const auto held = std::lock_guard{guard_};
    if (const auto* found = in.find(id))
      counts = found->counts;
  }
  ++(counts ? hits_ : misses_);
  return counts;
}

template <class Id, class Counts>
std::uint64_t count_cache::lease_in(counts_map<Id, Counts>& in, Id id) {
  // A row that was committed before the log is followed may reach no cache.
  if (!position_->is_followed())
    return no_lease;
  const auto held = std::lock_guard{guard_};
  return in.put(id, {.lease = ++newest_lease_, .counts = std::nullopt}).lease;
}

template <class Id, class Counts>
void count_cache::keep_in(counts_map<Id, Counts>& in, Id id, const Counts& counts,
                          std::uint64_t lease) {
  const auto held = std::lock_guard{guard_};
  // A row that changed the counts has erased the lease; another reader has put his own there.
  if (const auto* found = in.find(id); found && found->lease == lease)
    in.put(id, {.lease = lease, .counts = counts});
}

std::optional<account_counts> count_cache::find(account_id account) {
  return find_in(accounts_, account);
}

std::optional<post_counts> count_cache::find(post_id post) {
  return find_in(posts_, post);
}

std::uint64_t count_cache::lease(account_id account) {
  return lease_in(accounts_, account);
}

std::uint64_t count_cache::lease(post_id post) {
  return lease_in(posts_, post);
}

void count_cache::keep(account_id account, const account_counts& counts, std::uint64_t lease) {
  keep_in(accounts_, account, counts, lease);
}

void count_cache::keep(post_id post, const post_counts& counts, std::uint64_t lease) {
  keep_in(posts_, post, counts, lease);
}

void count_cache::apply(const log_entry& row) {
  const auto held = std::lock_guard{guard_};
  switch (row.kind) {
  case log_kind::create:
    accounts_.erase(row.author);
    if (row.facts && row.facts->reply_to)
      posts_.erase(row.facts->reply_to);
    return;
  case log_kind::remove: // takes along its boosts, and is missing below what it answered
  case log_kind::remove_actor:
    accounts_.clear();
    posts_.clear();
    return;
  case log_kind::announce:
  case log_kind::undo_announce:
    accounts_.erase(row.author);
    posts_.erase({row.object.target});
    return;
  case log_kind::like:
  case log_kind::undo_like:
    posts_.erase({row.object.target});
    return;
  case log_kind::follow:
  case log_kind::undo_follow:
  case log_kind::accept_follow:
  case log_kind::block: // ends the follows of both
    accounts_.erase({row.object.actor});
    accounts_.erase({row.object.target});
    return;
  default:
    return;
  }
}

} // namespace trunkline
