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

/// Others may ask for a renewal no more often, whatever they say.
constexpr auto look_pause = 100ms;

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

void lease_thread::work_as(std::int64_t incarnation) {
  const auto held = std::scoped_lock{mutex_};
  works_as_ = incarnation;
  if (status_.incarnation != incarnation)
    end_leases();
}

void lease_thread::hold_leases(boot_time until, bool serves) {
  membership_->hold_until(until);
  if (serves)
    lease_->hold_until(until);
  else
    lease_->end();
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
    const auto is_another = works_as_ != 0 && now.incarnation != works_as_;
    const auto serves = now.phase == lease_phase::serving;
    if (leaves_ || is_another || !(serves || now.phase == lease_phase::standing_by))
      end_leases();
    else
      hold_leases(now.held_until, serves);
    changed_.notify_all();
  }
  listeners_.seen(now.view);
  if (is_news)
    listeners_.told(now);
}

/// Until then, or until somebody wants a look and may have it, or `is_told`.
void lease_thread::wait_until(std::unique_lock<std::mutex>& held, boot_time end,
                              boot_time next_look, const std::function<bool()>& is_told) {
  for (;;) {
    const auto wake = looks_ ? std::min(end, next_look) : end;
    const auto left = wake - boot_clock::now();
    if (left <= 0ns || is_told())
      return;
    changed_.wait_for(held, left);
  }
}

void lease_thread::run() {
  auto next = boot_time{};
  auto end = boot_time::max();
  auto next_look = boot_time{};
  while (next != boot_time::max() && boot_clock::now() < end) {
    next = keeper_.step(*db_);
    publish();
    auto held = std::unique_lock{mutex_};
    const auto is_told = [&] { return leaves_ && end == boot_time::max(); };
    wait_until(held, std::min<boot_time>(next, boot_clock::now() + look_max), next_look, is_told);
    if (looks_ && boot_clock::now() >= next_look) {
      looks_ = false;
      next_look = boot_clock::now() + look_pause;
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
