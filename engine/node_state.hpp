/// INTERNAL to the node: what it holds, from the lock of its folder to its listeners.
#pragma once

#include "engine/actor_home.hpp"
#include "engine/cluster_links.hpp"
#include "engine/embedding/node_embedding.hpp"
#include "engine/folder_lock.hpp"
#include "engine/lease_thread.hpp"
#include "engine/metrics.hpp"
#include "engine/node.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_federation.hpp"
#include "engine/node_log.hpp"
#include "engine/node_servers.hpp"
#include "engine/peer_admin.hpp"
#include "engine/process_facts.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace trunkline {

enum class node_phase : std::uint8_t {
  starting,
  serving,
  draining,
  stopped, ///< Also after a start that failed.
  lost,    ///< Nothing is answered any more; it has not been stopped yet.
};

/// Tells the time of day as the node's options say.
wall_clock clock_of(const node_options& options);

struct node::state {
  explicit state(std::shared_ptr<const node_options> given);

  void run_start();
  caf::error start();
  caf::error begin_work();
  caf::error begin_service();
  caf::error take_folder();
  void lose(const caf::error& failure);
  void refuse_for_ever(const caf::error& reason);
  void close_listeners();
  void fill_admin();

  // node_cluster.cpp: the right to serve, where a database is shared
  caf::expected<std::optional<held_lease>> take_lease();
  caf::error check_shared(const std::string& url);
  caf::error begin_links();
  caf::error begin_lease(const std::string& url);
  caf::error open_standing_by();
  caf::error wait_for_membership();
  caf::error wait_for_lone_turn();
  caf::error wait_for_turn();
  caf::error end_standing_by(caf::error why);
  caf::error why_not_serving();
  bool is_deposed(lease_phase was, const lease_status& news) const;
  void see(const cluster_view& view);
  void hear(const lease_status& news);
  void watch_by_thread();
  std::string serving_node() const;
  std::string why_standing_by() const;
  std::string why_alone() const;
  json_object describe_cluster() const;
  json_object describe_nodes();

  // node_peers.cpp: what nodes ask each other
  void serve(link_topic topic, const std::string& body, const peer_reply& reply);
  void serve_request(link_topic topic, const std::string& body, const peer_reply& reply);
  void tell_shard_news();
  std::optional<cluster_wires> wires();
  void join_admin();
  void forward(link_topic topic, const http_request& request, const http_reply& reply);
  bool answer_itself(const http_request& request, const http_reply& reply);

  metric_sources sources();
  json_object describe();
  std::vector<readiness_check> check();

  /// Tells whether the node served until now, and drains from now on.
  bool enter_drain();

  bool enter_service(const caf::error& failed);
  void end_closer();
  bool is_ordered_to_end() const;

  /// The servers of a node that serves or drains; null otherwise. They last until `stop`.
  node_servers* serving();

  /// The same with the mutex held.
  node_servers* serving_now() const {
    const auto serves = phase == node_phase::serving || phase == node_phase::draining;
    return serves ? servers.get() : nullptr;
  }

  const std::shared_ptr<const node_options> options;
  const node_config& config;
  const std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  const wall_clock clock;
  const time_point began_at;
  node_log log;
  std::optional<folder_lock> lock;
  std::string dialect;
  admin_services admin;
  std::unique_ptr<node_embedding> embedding;           ///< What the embedder added; never null.
  const postgres_options sessions = serving_options(); ///< Of PostgreSQL, where that is used.
  std::atomic<bool> is_shared = false;                 ///< It is: somebody must look after them.
  std::unique_ptr<actor_home> home;                    ///< Set once, at the start.
  std::unique_ptr<cluster_links> links; ///< Likewise, before the lease; null without a name.
  std::unique_ptr<lease_thread> lease;  ///< Set once, with the mutex held; null on SQLite.
  lease_phase lease_was = lease_phase::joining; ///< The lease's thread's alone.
  std::atomic<std::int64_t> works_as = 0; ///< The incarnation, once the start goes on with it.
  std::unique_ptr<node_listeners>
      listeners; ///< Of a node that stands by, until `servers` has them.
  std::unique_ptr<node_actors> actors;
  std::unique_ptr<node_federation> federation;
  std::unique_ptr<node_servers> servers;
  std::unique_ptr<peer_admin> peers; ///< Null where there are none.
  std::atomic<bool> works = false;   ///< All of these are there, until the node has stopped.

  mutable std::mutex mutex; ///< Guards what follows.
  std::condition_variable changed;
  node_phase phase = node_phase::starting;
  bool start_over = false;
  bool stands_by = false;
  std::string serves_now; ///< The name of who serves; "" on SQLite as well.
  caf::error failure;     ///< Why the start failed.
  caf::error lost;        ///< Why nothing is answered any more.
  std::function<void()> on_loss;
  cpu_meter cpu;      ///< Of the process.
  bool ends = false;  ///< Somebody ends the node.
  std::thread closer; ///< Of the listeners of a lost node.

  std::chrono::steady_clock::time_point looked_at; ///< Of who looks.

  std::mutex ending;    ///< One thread ends the node.
  bool stopped = false; ///< Guarded by `ending`.
  std::thread starter;
};

} // namespace trunkline
