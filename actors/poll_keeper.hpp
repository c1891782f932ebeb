/// The poll keeper sends an Update of every poll of ours in which somebody voted since the last
/// round: other servers show the figures that they were told. One per node.
///
/// A poll is told of at most once per round, however many vote. Polls are told of one after the
/// other, so that no client waits for more than one of them. The mark is kept in memory: who starts
/// again looks at the newest rows of the log once more, and some Updates are sent twice.
#pragma once

#include "actors/id_source.hpp"
#include "actors/poll_keeper_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/ids.hpp"
#include "protocol/names.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

struct voted_polls;

struct poll_keeper_options {
  std::chrono::nanoseconds interval = std::chrono::minutes{1}; ///< Between two rounds.
  std::size_t votes_max = 2'000;                               ///< Read in one round.
  log_seq lookback = 1'000;                                    ///< Rows that a start reads again,
  std::chrono::minutes lookback_time{2};                       ///< no older than this.
};

struct poll_keeper_dependencies {
  storage_handles storage;
  std::string domain;
  url_space urls;
  std::shared_ptr<id_source> ids;
  wall_clock clock;
};

class poll_keeper_state {
public:
  explicit poll_keeper_state(poll_keeper_handle::pointer self) : self_{self} {}
  poll_keeper_handle::behavior_type make_behavior(poll_keeper_dependencies dependencies,
                                                  poll_keeper_options options);

private:
  void look();
  void take(const caf::expected<voted_polls>& found);
  void tell_next();

  poll_keeper_handle::pointer self_;
  poll_keeper_dependencies has_;
  poll_keeper_options options_;
  std::optional<log_seq>
      seen_; ///< Every vote up to here was taken; nothing before the first round.
  std::vector<post_id> waiting_; ///< Polls of this round, at most `votes_max`.
};

poll_keeper_handle::behavior_type
poll_keeper(watched_pointer<poll_keeper_handle, poll_keeper_state> self,
            poll_keeper_dependencies dependencies, poll_keeper_options options);

} // namespace trunkline
