/// Wakes the lanes of hosts whose arrivals wait: at the start, for what an earlier process has
/// left, and once a minute, for hints that were lost.
#pragma once

#include "actors/inbox_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace trunkline {

struct inbox_waker_options {
  std::chrono::seconds interval{60}; ///< Between two rounds.
  std::chrono::seconds pause{1};     ///< Between two pages of a round.
  std::size_t hosts_max = 500;       ///< Of a page: lanes that are woken at once.
};

struct inbox_waker_dependencies {
  storage_handles storage;
  inbox_lane_handle lanes; ///< Their region.
};

class inbox_waker_state {
public:
  explicit inbox_waker_state(inbox_waker_handle::pointer self) : self_{self} {}
  inbox_waker_handle::behavior_type make_behavior(inbox_waker_dependencies dependencies,
                                                  inbox_waker_options options);

private:
  void look();
  void wake(const caf::expected<std::vector<std::string>>& hosts);

  inbox_waker_handle::pointer self_;
  inbox_waker_dependencies has_;
  inbox_waker_options options_;
  std::string after_; ///< The last host of the page before; "" begins a round.
};

inbox_waker_handle::behavior_type
inbox_waker(watched_pointer<inbox_waker_handle, inbox_waker_state> self,
            inbox_waker_dependencies dependencies, inbox_waker_options options);

} // namespace trunkline
