#include "storage/answer_watch.hpp"

#include <condition_variable>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace trunkline {

namespace {

constexpr auto look_interval = std::chrono::milliseconds{100};
constexpr auto never = std::numeric_limits<std::chrono::steady_clock::rep>::max();

} // namespace

answer_watch::line::line(answer_watch& owner, int socket)
    : owner_{owner}, socket_{::fcntl(socket, F_DUPFD_CLOEXEC, 0)}, due_{never} {
  const auto held = std::scoped_lock{owner_.mutex_};
  owner_.lines_.push_back(this);
}

answer_watch::line::~line() {
  {
    const auto held = std::scoped_lock{owner_.mutex_};
    std::erase(owner_.lines_, this);
  }
  if (is_sound())
    ::close(socket_);
}

void answer_watch::line::begin_wait(std::chrono::milliseconds limit) {
  due_ = (clock::now() + limit).time_since_epoch().count();
}

void answer_watch::line::end_wait() {
  due_ = never;
}

void answer_watch::line::cut_if_due(clock::time_point now) {
  auto due = due_.load();
  // Exchanged, because the answer may come and another wait begin in between.
  if (due > now.time_since_epoch().count() || !due_.compare_exchange_strong(due, never))
    return;
  cut_ = true;
  owner_.hang_up_(socket_);
}

answer_watch::answer_watch(std::function<void(int socket)> hang_up)
    : hang_up_{std::move(hang_up)} {}

void answer_watch::begin() {
  const auto held = std::scoped_lock{mutex_};
  if (!thread_.joinable())
    thread_ = std::jthread{[this](const std::stop_token& end) { watch(end); }};
}

void answer_watch::look() {
  const auto held = std::scoped_lock{mutex_};
  cut_late();
}

void answer_watch::cut_late() {
  const auto now = line::clock::now();
  for (auto* one : lines_)
    one->cut_if_due(now);
}

void answer_watch::watch(const std::stop_token& end) {
  auto bell = std::condition_variable_any{};
  auto held = std::unique_lock{mutex_};
  while (!bell.wait_for(held, end, look_interval, [&end] { return end.stop_requested(); }))
    cut_late();
}

} // namespace trunkline
