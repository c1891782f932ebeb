/// The actors of a node that serves: the one place that chooses spawn options.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/count_cache.hpp"
#include "actors/dispatcher.hpp"
#include "actors/fanout_messages.hpp"
#include "actors/home_rings.hpp"
#include "actors/host_board.hpp"
#include "actors/id_source.hpp"
#include "actors/key_cache.hpp"
#include "actors/log_position.hpp"
#include "actors/own_thread.hpp"
#include "actors/password_worker_messages.hpp"
#include "actors/shard_places.hpp"
#include "actors/shard_region.hpp"
#include "actors/storage_worker.hpp"
#include "actors/timeline_messages.hpp"
#include "actors/token_cache.hpp"
#include "actors/watchdog.hpp"
#include "engine/actor_home.hpp"
#include "engine/cluster_wires.hpp"
#include "engine/node_options.hpp"
#include "engine/node_storage.hpp"
#include "protocol/time.hpp"

#include <caf/actor_system.hpp>
#include <caf/error.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {

/// What the actors of a node share in memory: what they count, and what they keep of the log.
struct node_memory {
  std::shared_ptr<storage_counters> storage = std::make_shared<storage_counters>();
  std::shared_ptr<log_position> position = std::make_shared<log_position>();
  std::shared_ptr<region_counters> accounts = std::make_shared<region_counters>();
  std::shared_ptr<region_counters> timelines = std::make_shared<region_counters>();
  std::shared_ptr<home_rings> rings = std::make_shared<home_rings>();
  std::shared_ptr<token_cache> tokens = std::make_shared<token_cache>(position);
  std::shared_ptr<count_cache> counts = std::make_shared<count_cache>(position);
  std::shared_ptr<key_cache> keys = std::make_shared<key_cache>(position);
  std::shared_ptr<blocked_domains> blocked = std::make_shared<blocked_domains>();
  std::shared_ptr<host_board> board = std::make_shared<host_board>();
  std::shared_ptr<webhook_outbox> outbox; ///< Null when no webhook wants it.
  std::shared_ptr<shard_places> places;   ///< Null: all shards of hosts are here.
};

/// Whom the actors tell of trouble, from any thread; none may block.
struct node_alarms {
  /// Storage is broken, or an actor that everything stands on has crashed: the node must end.
  std::function<void(const caf::error&)> lost;
  /// One actor has crashed and is started again by its next message, or put aside for a while.
  std::function<void(std::string_view kind, const std::string& id, const caf::error& reason,
                     bool is_quarantined)>
      crashed;
  /// One actor keeps its thread for too long, or went on.
  watchdog::listener stuck;
};

class node_actors {
public:
  /// Starts the storage workers and everything that stands on them, in `home`, which lives longer.
  /// `events` is told of every row of the log; it may be null. `cluster`: nothing where the node
  /// owns all shards.
  node_actors(actor_home& home, const node_options& options, node_databases databases,
              wall_clock clock, node_alarms alarms, std::shared_ptr<log_cache> events = {},
              const std::optional<cluster_wires>& cluster = {});

  /// Calls `end`. Whoever holds a handle of one of the actors gives it up before.
  ~node_actors();
  node_actors(const node_actors&) = delete;
  node_actors& operator=(const node_actors&) = delete;

  /// Ends every actor; the handles below are then of no use. Returns whether all ended in time:
  /// one that did not, because the database does not answer, would keep the destructor waiting for
  /// it. A second call does nothing.
  bool end();

  caf::actor_system& system() { return home_.system(); }

  /// Tells whether they run in a virtual world: what they do must not depend on the machine.
  bool is_virtual() const { return home_.world() != nullptr; }

  /// What the owner calls who looks himself.
  void look();

  /// Returns the actors that keep their threads for too long, the longest first; none in a virtual
  /// world. Any thread.
  std::vector<stuck_actor> stuck() const;

  /// Makes `actor` end before the regions do.
  void end_first(caf::actor actor) { first_.push_back(std::move(actor)); }

  /// Makes the actors end after those of `end_first`, together, and calls `then` once they have.
  void end_second(std::vector<caf::actor> group, std::function<void()> then) {
    second_ = std::move(group);
    after_second_ = std::move(then);
  }

  /// Begins what one node does for all: it keeps the database in order, and ends polls.
  void begin_service(const node_config& config, const wall_clock& clock);

  /// Lets the dispatcher begin, with the region of hosts.
  void begin_delivery(remote_host_handle hosts, host_stopper_handle stopper, wall_clock clock);

  /// Reports the end of `actor`, if it was not ordered, as the loss of the node.
  void must_live(const caf::actor& actor, std::string_view name) const;

  /// What a region of actors known by a `Key` does when one crashes.
  template <class Key>
  region_options_of<Key> region_limits(std::string_view kind) const {
    return {.kind = std::string{kind},
            .on_crash = [kind, tell = alarms_.crashed](const Key& id, const caf::error& reason,
                                                       bool is_quarantined) {
              if (tell)
                tell(kind, region_key<Key>::name(id), reason, is_quarantined);
            }};
  }

  const node_lease_ptr lease;         ///< Of a member, to act for its hosts; null: it needs none.
  const node_lease_ptr serving_lease; ///< To answer clients; likewise.
  node_memory memory;
  std::shared_ptr<id_source> ids;
  storage_handles storage;
  password_handle passwords;
  dispatcher_handle dispatcher;
  fanout_handle fanout;
  log_reader_handle log_reader;
  account_handle accounts;
  timeline_handle timelines;

private:
  void begin_watch(const wall_clock& clock, bool owner_looks);
  void start_workers(const node_config& config, node_databases databases, const wall_clock& clock,
                     std::shared_ptr<log_cache> events,
                     const std::optional<cluster_wires>& cluster);
  void start_regions(const node_config& config, const wall_clock& clock);
  void write_books();
  void write_books_in_turn();

  /// Spawns what blocks: on a thread of its own, but in a virtual world in turn.
  template <class... Ts>
  auto spawn_blocking(Ts&&... args) {
    return is_virtual() ? system().spawn(std::forward<Ts>(args)...)
                        : on_own_thread(system().spawn<caf::detached>(std::forward<Ts>(args)...));
  }

  actor_home& home_;
  node_alarms alarms_;
  std::unique_ptr<watchdog> watchdog_; ///< Null in a virtual world.
  std::shared_ptr<dispatcher_dependencies> delivery_;
  std::vector<caf::actor> first_;  ///< Gateways and timers.
  std::vector<caf::actor> second_; ///< Federation: hosts, inboxes, and who works for them.
  std::function<void()> after_second_;
  std::vector<caf::actor> regions_;
  std::vector<caf::actor> log_actors_;
  std::vector<caf::actor> workers_; ///< The writer and the readers.
};

} // namespace trunkline
