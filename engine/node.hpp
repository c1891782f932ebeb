/// One running node: its folder, databases, actors, listeners, and the order in which they start
/// and end.
///
/// The constructor returns at once; the start goes on in a thread of its own. Any thread may call
/// the members, but none of the node's own. At most 12 + 2 x cores threads. When storage fails in a
/// way that no later success may follow, the whole process ends with `exit_io`.
#pragma once

#include "engine/node_options.hpp"

#include <caf/error.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace trunkline {

class node {
public:
  explicit node(std::shared_ptr<const node_options> options);

  /// Calls `stop`.
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Waits until the node serves. Fails with what stopped the start, or with `errc::timed_out`.
  caf::error wait_ready(std::chrono::milliseconds limit);

  /// "http://127.0.0.1:3000", ports resolved; "" until the node serves.
  std::string web_url() const;
  std::string admin_url() const;

  /// Stops accepting, answers what is in flight, and returns whether all of it was within `limit`.
  bool drain(std::chrono::milliseconds limit);

  /// Ends everything, without losing what was answered. A second call does nothing.
  void stop();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace trunkline
