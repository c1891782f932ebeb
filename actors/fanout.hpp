/// The fan-out: one entry of the log -> the loaded rings and the caches of this node.
///
/// It is the only writer of the rings. Work is cut into slices of `slice_max` visits, after each of
/// which it yields. Small fan-outs (one slice) go first, at most one slice of them in a turn, then
/// one slice of the oldest large one; those of one author keep their order. `applied` of the log's
/// position rises when everything up to there has reached all rings.
///
/// A rebuilt home was read while rows went on being applied. So the fan-out keeps the newest rows:
/// whatever came after the rebuild's `seq` is applied to the ring when it is installed, and a home
/// whose graph changed since is refused.
#pragma once

#include "actors/dispatcher_messages.hpp"
#include "actors/fanout_messages.hpp"
#include "actors/home_rings.hpp"
#include "actors/log_cache.hpp"
#include "actors/log_position.hpp"
#include "actors/watched_actor.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <caf/unit.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace trunkline {

struct fanout_options {
  std::size_t slice_max = 4096;   ///< Visits of rings before it yields.
  std::size_t history_max = 4096; ///< Newest rows kept; an older rebuild is refused.
  std::size_t waiting_max = 4096; ///< Reads that wait for a row; more are refused.
};

/// What the fan-out works with; none is null, but for the dispatcher, which may be missing: it gets
/// a copy of the rows for other servers, and is never waited for.
struct fanout_dependencies {
  std::shared_ptr<home_rings> rings;
  std::shared_ptr<log_position> position;
  std::vector<std::shared_ptr<log_cache>> caches;
  wall_clock clock;
  dispatcher_handle dispatcher;
};

class fanout_state {
public:
  explicit fanout_state(fanout_handle::pointer self) : self_{self} {}
  ~fanout_state();

  fanout_handle::behavior_type make_behavior(fanout_dependencies dependencies,
                                             fanout_options options);

private:
  using answer = caf::typed_response_promise<caf::unit_t>;

  struct work {
    log_seq seq = 0;
    ring_update update;
    fanout_cursor cursor;
  };

  struct tick {
    log_seq upto = 0;
    log_position::steady_time at;
  };

  void apply(const apply_rows& news);
  bool install(const install_home& wish);
  caf::result<void> await(const await_applied& wish);
  fanout_report describe() const;
  void drop_unread();

  void tell_dispatcher(const apply_rows& news);
  void take(const log_entry& row);
  void keep(const log_entry& row);
  void enqueue(work next);
  void pump();
  void advance(std::deque<work>& queue, std::size_t visits_max);
  void publish();

  fanout_handle::pointer self_;
  fanout_dependencies has_;
  fanout_options options_;
  bool started_ = false; ///< The log reader has said where it begins.
  log_seq received_ = 0;
  log_seq forgotten_ = 0;         ///< The newest row that `history_` lacks.
  std::deque<log_entry> history_; ///< The newest rows, in order.
  std::deque<work> small_;        ///< In order.
  std::deque<work> large_;        ///< In order.
  std::vector<tick> ticks_;       ///< Not reached yet; at most two.
  std::multimap<log_seq, answer> waiting_;
  std::int64_t refused_homes_ = 0;
  bool continue_sent_ = false;
};

fanout_handle::behavior_type fanout(watched_pointer<fanout_handle, fanout_state> self,
                                    fanout_dependencies dependencies, fanout_options options);

} // namespace trunkline
