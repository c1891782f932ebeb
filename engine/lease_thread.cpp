#include "engine/lease_thread.hpp"

#include "storage/postgres_database.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// How long a statement of the lease may take: then there is a new session.
constexpr auto renewal_max = 3'000ms;

/// How long the database is told that the node leaves; past it the lease runs out by itself.
constexpr auto leave_max = 3s;

/// The thread looks at least this often, for orders that came meanwhile.
constexpr auto look_max = 1s;

} // namespace

caf::expected<std::unique_ptr<lease_thread>> lease_thread::start(const std::string& url,
                                                                 const postgres_options& sessions,
                                                                 join_wish wish,
                                                                 listeners heard_by) {
  auto options = sessions;
  options.answer_max = renewal_max;
  auto db = open_postgres(url, options);
  if (!db)
    return std::move(db.error());
  return std::unique_ptr<lease_thread>{
      new lease_thread{std::move(*db), std::move(wish), std::move(heard_by)}};
}

lease_thread::lease_thread(std::unique_ptr<database> db, join_wish wish, listeners heard_by)
    : db_{std::move(db)}, listeners_{std::move(heard_by)},
      keeper_{std::move(wish), boot_clock::now, listeners_.report}, thread_{[this] { run(); }} {}

lease_thread::~lease_thread() {
  leave();
}

lease_status lease_thread::status() const {
  const auto held = std::scoped_lock{mutex_};
  return status_;
}

bool lease_thread::wait_for(std::chrono::milliseconds limit, bool (*holds)(const lease_status&)) {
  auto held = std::unique_lock{mutex_};
  changed_.wait_for(held, limit, [&] { return is_over_ || leaves_ || holds(status_); });
  return !is_over_ && !leaves_ && holds(status_);
}

bool lease_thread::wait_for_turn(std::chrono::milliseconds limit) {
  return wait_for(limit, [](const lease_status& now) { return now.may_serve(boot_clock::now()); });
}

bool lease_thread::wait_for_membership(std::chrono::milliseconds limit) {
  return wait_for(limit, [](const lease_status& now) { return now.is_member(boot_clock::now()); });
}

void lease_thread::look() {
  const auto held = std::scoped_lock{mutex_};
  looks_ = true;
  changed_.notify_all();
}

void lease_thread::end_leases() {
  lease_->end();
  membership_->end();
}

void lease_thread::leave() {
  {
    const auto held = std::scoped_lock{mutex_};
    leaves_ = true;
    end_leases();
    changed_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

/// What the gates see is never ahead of what the database has confirmed.
void lease_thread::publish() {
  const auto& now = keeper_.status();
  auto is_news = false;
  {
    const auto held = std::scoped_lock{mutex_};
    is_news = now.phase != status_.phase || now.failure != status_.failure ||
              now.incarnation != status_.incarnation;
    status_ = now;
    const auto is_member =
        now.phase == lease_phase::serving || now.phase == lease_phase::standing_by;
    if (leaves_ || !is_member)
      end_leases();
    else
      membership_->hold_until(now.held_until);
    if (!leaves_ && now.phase == lease_phase::serving)
      lease_->hold_until(now.held_until);
    else
      lease_->end();
    changed_.notify_all();
  }
  listeners_.seen(now.view);
  if (is_news)
    listeners_.told(now);
}

void lease_thread::run() {
  auto next = boot_time{};
  auto end = boot_time::max();
  while (next != boot_time::max() && boot_clock::now() < end) {
    next = keeper_.step(*db_);
    publish();
    auto held = std::unique_lock{mutex_};
    const auto left = std::clamp<boot_clock::duration>(next - boot_clock::now(), 0ns, look_max);
    changed_.wait_for(held, left,
                      [this, end] { return looks_ || (leaves_ && end == boot_time::max()); });
    if (std::exchange(looks_, false)) {
      keeper_.look();
      next = boot_time{};
    }
    if (!leaves_ || end != boot_time::max())
      continue;
    end = boot_clock::now() + leave_max;
    keeper_.leave();
    next = boot_time{};
  }
  const auto held = std::scoped_lock{mutex_};
  is_over_ = true;
  end_leases();
  changed_.notify_all();
}

} // namespace trunkline
