/// A timeline: answers reads of one account's home.
///
/// A read that arrives sees everything that was answered before: it waits until the fan-out has
/// applied what this node had committed when it arrived, for at most `applied_wait`, and then reads
/// storage instead. A cold ring is rebuilt at the first read; those that come meanwhile wait for
/// it. The ring is not the actor's: it stays when the actor is passivated.
#pragma once

#include "actors/fanout_messages.hpp"
#include "actors/home_rings.hpp"
#include "actors/log_position.hpp"
#include "actors/shard_region_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/timeline_messages.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/time.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace trunkline {

struct timeline_options {
  std::size_t waiting_max = 64; ///< Reads that wait for one rebuild; more are refused.
  int rebuilds_max = 3;         ///< In a row, each wrong by its end; then storage is read instead.
  std::chrono::milliseconds applied_wait{1'000};
  std::chrono::seconds fanout_deadline{5}; ///< Of putting a rebuilt home into its ring.
  std::chrono::seconds idle_after{300};    ///< Without a read: passivated, within twice that.
};

/// What every timeline of a node works with; no pointer is null.
struct timeline_dependencies {
  storage_handles storage;
  fanout_handle fanout;
  std::shared_ptr<home_rings> rings;
  std::shared_ptr<log_position> position;
  wall_clock clock;
};

class timeline_state {
public:
  explicit timeline_state(timeline_handle::pointer self) : self_{self} {}
  ~timeline_state();

  timeline_handle::behavior_type make_behavior(account_id account, passivator_handle region,
                                               timeline_dependencies dependencies,
                                               timeline_options options);

private:
  struct reading {
    page_request page;
    caf::typed_response_promise<home_page> reply;
    ticket admission;
  };

  caf::result<home_page> take(read_home& wish);
  void serve(reading read);
  void serve_from_storage(reading read);
  void answer_with(reading read, caf::expected<home_page> page);
  void rebuild();
  void install(caf::expected<home_snapshot> home);
  void finish_rebuild(bool is_installed);
  void give_up_rebuild();
  timeline_report describe() const;
  void check_idle();

  timeline_handle::pointer self_;
  account_id account_;
  passivator_handle region_;
  timeline_dependencies has_;
  timeline_options options_;
  std::vector<reading> waiting_; ///< For the rebuild under way.
  bool rebuilding_ = false;
  int rebuilds_in_row_ = 0;
  std::int64_t under_way_ = 0; ///< Reads not answered.
  std::int64_t rebuilds_ = 0;
  std::int64_t reads_ = 0;
  std::chrono::steady_clock::time_point last_read_;
};

/// Asks `region` to stop it when nobody has read for `idle_after`.
timeline_handle::behavior_type timeline(watched_pointer<timeline_handle, timeline_state> self,
                                        account_id account, passivator_handle region,
                                        timeline_dependencies dependencies,
                                        timeline_options options);

} // namespace trunkline
