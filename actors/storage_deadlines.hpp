/// The deadlines of what storage was asked.
///
/// CAF's own cost more with every request that is outstanding in an actor; these cost the same
/// always. All are equally long, so they stand in one queue, and whoever asks next looks at its
/// head: an account's idle node is looked after by the log reader's poll. Any thread.
#pragma once

#include <caf/actor_clock.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/message_id.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>

namespace trunkline {

/// Deadline of one question or change, from the request on.
inline constexpr auto storage_deadline = std::chrono::seconds{10};

class storage_deadlines {
public:
  using clock_point = caf::actor_clock::time_point;

  /// A request that waits for an answer.
  struct entry {
    clock_point due;
    caf::weak_actor_ptr asker;
    caf::message_id response;         ///< Under which the asker waits.
    std::weak_ptr<const void> answer; ///< Gone once there was an answer.
  };

  /// Notes a request, and tells the askers of those that are due: `sec::request_timeout`.
  void add(entry request, clock_point now);

private:
  std::mutex mutex_;
  std::deque<entry> waiting_;
};

} // namespace trunkline
