/// Tells the other nodes of a cluster that the log has grown, so that they need not wait for their
/// next poll.
///
/// A hint: each node is told one thing at a time, and the newest row when it has heard the last
/// one; what is lost is repaired by its poll. Any thread.
#pragma once

#include "actors/link_messages.hpp"
#include "protocol/ids.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace trunkline {

class log_news {
public:
  /// Neither may block.
  struct wires {
    std::function<std::vector<std::string>()> others; ///< Names of the nodes that live.
    std::function<void(const std::string& node, ask_peer)> ask;
  };

  explicit log_news(wires given);

  /// Rows up to `upto` are committed.
  void tell(log_seq upto);

private:
  struct state;
  static void tell(const std::shared_ptr<state>& shared, const std::string& node);

  const std::shared_ptr<state> state_;
};

} // namespace trunkline
