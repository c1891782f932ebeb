#include "engine/embedding/callback_worker.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace trunkline {

namespace {

using steady = std::chrono::steady_clock;

} // namespace

/// Shared with the thread, so that one that is left behind has something to stand on.
struct callback_worker::state {
  explicit state(std::size_t limit) : waiting_max{limit} {}

  void run();
  static void run_one(const std::shared_ptr<state>& self);
  void call(std::unique_lock<std::mutex>& held);

  const std::size_t waiting_max;
  std::shared_ptr<virtual_world> world;
  mutable std::mutex mutex; ///< Guards what follows.
  std::condition_variable changed;
  std::deque<std::function<void()>> waiting;
  bool stopped = false;
  bool ended = false; ///< The thread is past its last call.
  std::uint64_t begun = 0;
  std::uint64_t failed = 0;
  steady::time_point began;
  bool is_busy = false;
  std::size_t put_off = 0; ///< Turns in a virtual world that came while it was busy.
  std::thread thread;
};

/// Runs the front of the queue, without holding the lock.
void callback_worker::state::call(std::unique_lock<std::mutex>& held) {
  auto next = std::move(waiting.front());
  waiting.pop_front();
  ++begun;
  is_busy = true;
  began = steady::now();
  held.unlock();
  auto threw = false;
  try {
    next();
  } catch (const std::exception&) {
    threw = true;
  } catch (...) { // whatever an embedder throws ends here
    threw = true;
  }
  next = nullptr; // what it holds ends outside of the lock
  held.lock();
  failed += threw;
  is_busy = false;
}

void callback_worker::state::run() {
  auto held = std::unique_lock{mutex};
  while (true) {
    changed.wait(held, [this] { return stopped || !waiting.empty(); });
    if (stopped)
      break;
    call(held);
  }
  ended = true;
  changed.notify_all();
}

/// In a virtual world: one turn for each call that was posted. A call that moves the world meets
/// the turns of those behind it, which are put off until it is over.
void callback_worker::state::run_one(const std::shared_ptr<state>& self) {
  auto held = std::unique_lock{self->mutex};
  if (self->is_busy) {
    ++self->put_off;
    return;
  }
  if (self->stopped || self->waiting.empty())
    return;
  self->call(held);
  for (; self->put_off > 0; --self->put_off)
    self->world->later([self] { run_one(self); });
}

callback_worker::callback_worker(std::size_t waiting_max, std::shared_ptr<virtual_world> world)
    : state_{std::make_shared<state>(waiting_max)} {
  state_->world = std::move(world);
  if (!state_->world)
    state_->thread = std::thread{[inside = state_] { inside->run(); }};
}

callback_worker::~callback_worker() {
  stop(std::chrono::milliseconds{0});
}

bool callback_worker::post(std::function<void()> call) {
  {
    const auto held = std::scoped_lock{state_->mutex};
    if (state_->stopped || state_->waiting.size() >= state_->waiting_max)
      return false;
    state_->waiting.push_back(std::move(call));
  }
  state_->changed.notify_one();
  if (state_->world)
    state_->world->later([inside = state_] { state::run_one(inside); });
  return true;
}

std::size_t callback_worker::waiting() const {
  const auto held = std::scoped_lock{state_->mutex};
  return state_->waiting.size();
}

std::uint64_t callback_worker::begun() const {
  const auto held = std::scoped_lock{state_->mutex};
  return state_->begun;
}

std::uint64_t callback_worker::failed() const {
  const auto held = std::scoped_lock{state_->mutex};
  return state_->failed;
}

std::chrono::milliseconds callback_worker::busy() const {
  const auto held = std::scoped_lock{state_->mutex};
  if (!state_->is_busy)
    return std::chrono::milliseconds{0};
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - state_->began);
}

bool callback_worker::stop(std::chrono::milliseconds limit) {
  auto dropped = std::deque<std::function<void()>>{};
  auto held = std::unique_lock{state_->mutex};
  state_->stopped = true;
  dropped.swap(state_->waiting);
  state_->changed.notify_all();
  if (!state_->thread.joinable())
    return !state_->is_busy;
  const auto is_own = state_->thread.get_id() == std::this_thread::get_id();
  const auto ended =
      !is_own && state_->changed.wait_for(held, limit, [this] { return state_->ended; });
  auto thread = std::move(state_->thread);
  held.unlock();
  if (ended)
    thread.join();
  else
    thread.detach();
  return ended;
}

} // namespace trunkline
