/// Ends connections whose server does not answer in time.
///
/// A server that is frozen keeps its sockets open, and libpq waits for it without a limit. The
/// watch is looked after a few times a second, by a thread of its own or by whoever has one to
/// spare, and hangs up on such a server: whoever waits on the socket is told that the connection is
/// lost. One watch serves all connections of a node; it outlives them.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace trunkline {

class answer_watch {
public:
  /// One socket under watch; belongs to the connection, whose thread alone calls it.
  class line {
  public:
    /// Duplicates `socket`: what is shut down is never a number that has been given to another.
    line(answer_watch& owner, int socket);
    ~line();
    line(const line&) = delete;
    line& operator=(const line&) = delete;

    /// Tells whether the socket could be duplicated; when not, nothing is watched.
    bool is_sound() const { return socket_ >= 0; }

    /// From now on an answer must come within `limit`, until `end_wait`.
    void begin_wait(std::chrono::milliseconds limit);
    void end_wait();

    /// Tells whether the connection was ended because no answer came.
    bool was_cut() const { return cut_; }

  private:
    friend class answer_watch;
    using clock = std::chrono::steady_clock;

    void cut_if_due(clock::time_point now);

    answer_watch& owner_;
    int socket_;
    std::atomic<clock::rep> due_; ///< Of the clock's epoch; `never` while nothing is awaited.
    std::atomic<bool> cut_ = false;
  };

  /// `hang_up` ends a socket in both directions, and does not close it. Called by who looks, must
  /// not block: what sockets are is not storage's to know. Nobody looks yet.
  explicit answer_watch(std::function<void(int socket)> hang_up);

  /// From now on a thread of its own looks. Only the first call does; any thread.
  void begin();

  /// Hangs up on every server that is late. Any thread.
  void look();

private:
  void watch(const std::stop_token& end);
  void cut_late(); ///< With the mutex held.

  const std::function<void(int socket)> hang_up_;
  std::mutex mutex_;
  std::vector<line*> lines_;
  std::jthread thread_; ///< Ends before the rest is destroyed.
};

} // namespace trunkline
