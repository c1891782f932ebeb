/// Runs what the embedder gave us to call, on a thread of its own, one call at a time: a call that
/// blocks, throws or never returns holds up nobody but those behind it.
///
/// Any thread may call the members. In a virtual world there is no thread: calls run in turn.
#pragma once

#include "engine/embedding/virtual_world.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace trunkline {

class callback_worker {
public:
  /// At most `waiting_max` calls wait. `world` may be null. Throws `std::system_error` when no
  /// thread can be started.
  callback_worker(std::size_t waiting_max, std::shared_ptr<virtual_world> world);

  /// Calls `stop` without waiting.
  ~callback_worker();
  callback_worker(const callback_worker&) = delete;
  callback_worker& operator=(const callback_worker&) = delete;

  /// Returns false when too many wait, or it was stopped: then `call` is not kept.
  bool post(std::function<void()> call);

  std::size_t waiting() const;

  /// Calls that have begun.
  std::uint64_t begun() const;

  /// Calls that threw.
  std::uint64_t failed() const;

  /// How long the present call has run; 0 between calls.
  std::chrono::milliseconds busy() const;

  /// Forgets what waits, lets nothing begin, and waits for the present call, at most `limit`. Past
  /// that the thread is left behind, and ends when its call returns. Returns whether it has ended.
  /// Called by the present call itself, it does not wait.
  bool stop(std::chrono::milliseconds limit);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace trunkline
