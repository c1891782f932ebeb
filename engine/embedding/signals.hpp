/// Waits for the signals that end a program. The one thing of an engine that is the process's:
/// signal handlers cannot be given anything.
#pragma once

#include <signal.h>

#include <atomic>

namespace trunkline {

/// Takes SIGTERM and SIGINT over while it exists, and puts the handlers back. One at a time.
class signal_wait {
public:
  signal_wait();
  ~signal_wait();
  signal_wait(const signal_wait&) = delete;
  signal_wait& operator=(const signal_wait&) = delete;

  /// Tells whether this one has the signals: no other one had them.
  bool is_first() const { return is_first_; }

  /// Blocks until one of the signals comes, or `stop`. Returns the signal's number, 0 for `stop`.
  /// Only of the first.
  int wait();

  /// Ends `wait`. Any thread; does not block.
  void stop();

private:
  const bool is_first_;
  std::atomic<bool> stopped_ = false;
  struct sigaction old_term_ = {};
  struct sigaction old_int_ = {};
  sigset_t old_mask_ = {};
};

} // namespace trunkline
