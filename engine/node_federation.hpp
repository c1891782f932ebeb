/// What a node has for other servers: the HTTP client, hosts, signatures, and inboxes.
///
/// Made after the actors and before the servers; its actors end with those of `node_actors`.
#pragma once

#include "actors/content_gate.hpp"
#include "actors/delivery_budget.hpp"
#include "actors/host_gate_messages.hpp"
#include "actors/host_mover_messages.hpp"
#include "actors/inbox_messages.hpp"
#include "actors/lost_inbox.hpp"
#include "actors/outage_guard.hpp"
#include "actors/remote_host_messages.hpp"
#include "actors/resolver_messages.hpp"
#include "actors/shard_region_options.hpp"
#include "actors/shard_routes.hpp"
#include "actors/signature_checker_messages.hpp"
#include "actors/signing_pool_messages.hpp"
#include "engine/cluster_wires.hpp"
#include "engine/embedding/host_listeners.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_log.hpp"
#include "engine/node_options.hpp"
#include "engine/node_sender.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Called at the named points of the code; must not block.
using named_points = std::function<void(std::string_view)>;

/// Returns what kills the process at the point that the configuration names, or does nothing.
named_points points_of(const node_config& config);

/// Returns how many requests to other servers may be under way, as the configuration says.
delivery_budget_limits budget_limits(const node_config& config);

class node_federation {
public:
  /// Starts everything and lets the dispatcher begin. `log` outlives the actors. What comes in, and
  /// posts that are fetched, pass `gate`; it may be null. `cluster`: nothing where the node owns
  /// all shards. Fails with `errc::config_invalid`.
  static caf::expected<std::unique_ptr<node_federation>>
  start(const node_options& options, node_actors& actors, const wall_clock& clock, node_log& log,
        const host_listeners& told = {}, std::shared_ptr<content_gate> gate = nullptr,
        const std::optional<cluster_wires>& cluster = {});

  /// Takes up what has arrived and was not applied. `actors` are those of the start.
  void begin_service(node_actors& actors);

  /// Of a node in a cluster: takes up and hands on what the database says. Any thread.
  void see(const cluster_view& view);

  /// Of a node in a cluster: answers another one about its hosts and the log. Any thread.
  void serve(link_topic topic, const std::string& body, const peer_reply& reply);

  /// Who sends the node's requests to other servers.
  std::shared_ptr<http_sender> sender() const { return sender_; }

  http_client_counters client_counters() const { return sender_->counters(); }

  const std::shared_ptr<region_counters> host_counters = std::make_shared<region_counters>();
  const std::shared_ptr<region_counters> inbox_counters = std::make_shared<region_counters>();
  std::shared_ptr<delivery_budget> budget; ///< Of the requests to all hosts.
  std::shared_ptr<outage_guard> outage;
  remote_host_handle hosts; ///< The region; in a cluster the gate to hosts on all nodes.
  std::shared_ptr<shard_routes> routes; ///< Null where the node owns all shards.
  signing_handle signing;
  signature_checker_handle signature_checker;
  resolver_handle resolver;
  inbox_lane_handle inbox; ///< The region of inbox lanes.
  named_points at_point;
  std::shared_ptr<content_gate> gate; ///< Null: nothing is filtered.

private:
  node_federation() = default;
  void spawn_signing(const node_config& config, node_actors& actors, const wall_clock& clock,
                     std::string secret);
  void spawn_hosts(const node_options& options, node_actors& actors, const wall_clock& clock,
                   node_log& log, const host_listeners& told);
  void spawn_gate(node_actors& actors, const cluster_wires& cluster);
  void spawn_askers(const node_config& config, node_actors& actors, const wall_clock& clock);
  void spawn_inbox(const node_config& config, node_actors& actors, const wall_clock& clock,
                   node_log& log);

  std::shared_ptr<node_sender> sender_;
  std::shared_ptr<lost_inboxes> lost_;
  host_gate_handle host_gate_;   ///< Null where the node owns all shards.
  host_mover_handle host_mover_; ///< Likewise.
  log_reader_handle log_reader_;
  std::vector<caf::actor> actors_;
};

} // namespace trunkline
