/// INTERNAL to net: the limits of many exchanges on one timer.
///
/// Most limits never come: setting and dropping one costs no system call, as long as an earlier one
/// is waited for. Belongs to the client's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <map>
#include <optional>

namespace trunkline {

class deadlines;

/// Who has at most one deadline. Must drop it before it goes.
class deadline_waiter {
public:
  deadline_waiter() = default;
  deadline_waiter(const deadline_waiter&) = delete;
  deadline_waiter& operator=(const deadline_waiter&) = delete;
  virtual ~deadline_waiter() = default;

  /// The deadline has come; it is no longer set.
  virtual void on_deadline() = 0;

private:
  friend class deadlines;
  std::optional<std::multimap<std::chrono::steady_clock::time_point, deadline_waiter*>::iterator>
      place_;
};

class deadlines {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit deadlines(boost::asio::io_context& loop) : timer_{loop} {}

  /// Sets the waiter's deadline, unless an earlier one is set.
  void set_at_most(deadline_waiter& waiter, time_point at) {
    if (waiter.place_ && (*waiter.place_)->first <= at)
      return;
    drop(waiter);
    waiter.place_ = waiters_.emplace(at, &waiter);
    arm();
  }

  void drop(deadline_waiter& waiter) {
    if (waiter.place_)
      waiters_.erase(*waiter.place_);
    waiter.place_.reset();
  }

  /// Nothing comes any more.
  void stop() {
    is_stopped_ = true;
    timer_.cancel();
  }

private:
  /// An earlier timer stays: when it comes, the next deadline is known.
  void arm() {
    if (is_stopped_ || waiters_.empty() ||
        (is_armed_ && timer_.expiry() <= waiters_.begin()->first))
      return;
    is_armed_ = true;
    timer_.expires_at(waiters_.begin()->first);
    timer_.async_wait([this](boost::system::error_code failure) {
      if (!failure)
        on_timer();
    });
  }

  void on_timer() {
    is_armed_ = false;
    const auto now = std::chrono::steady_clock::now();
    while (!waiters_.empty() && waiters_.begin()->first <= now) {
      auto& due = *waiters_.begin()->second;
      drop(due);
      due.on_deadline();
    }
    arm();
  }

  boost::asio::steady_timer timer_;
  std::multimap<time_point, deadline_waiter*> waiters_;
  bool is_armed_ = false;
  bool is_stopped_ = false;
};

} // namespace trunkline
