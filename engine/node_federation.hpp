/// What a node has for other servers: the HTTP client, hosts, signatures, and inboxes.
///
/// Made after the actors and before the servers; its actors end with those of `node_actors`.
#pragma once

#include "actors/content_gate.hpp"
#include "actors/delivery_budget.hpp"
#include "actors/inbox_messages.hpp"
#include "actors/lost_inbox.hpp"
#include "actors/outage_guard.hpp"
#include "actors/remote_host_messages.hpp"
#include "actors/resolver_messages.hpp"
#include "actors/shard_region_options.hpp"
#include "actors/signature_checker_messages.hpp"
#include "actors/signing_pool_messages.hpp"
#include "engine/embedding/host_listeners.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_log.hpp"
#include "engine/node_options.hpp"
#include "engine/node_sender.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <functional>
#include <memory>
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
  /// posts that are fetched, pass `gate`; it may be null. Fails with `errc::config_invalid`.
  static caf::expected<std::unique_ptr<node_federation>>
  start(const node_options& options, node_actors& actors, const wall_clock& clock, node_log& log,
        const host_listeners& told = {}, std::shared_ptr<content_gate> gate = nullptr);

  /// Takes up what has arrived and was not applied. `actors` are those of the start.
  void begin_service(node_actors& actors, const wall_clock& clock);

  /// Who sends the node's requests to other servers.
  std::shared_ptr<http_sender> sender() const { return sender_; }

  http_client_counters client_counters() const { return sender_->counters(); }

  const std::shared_ptr<region_counters> host_counters = std::make_shared<region_counters>();
  const std::shared_ptr<region_counters> inbox_counters = std::make_shared<region_counters>();
  std::shared_ptr<delivery_budget> budget; ///< Of the requests to all hosts.
  std::shared_ptr<outage_guard> outage;
  remote_host_handle hosts; ///< The region.
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
  void spawn_askers(const node_config& config, node_actors& actors, const wall_clock& clock);
  void spawn_inbox(const node_config& config, node_actors& actors, const wall_clock& clock,
                   node_log& log);

  std::shared_ptr<node_sender> sender_;
  std::shared_ptr<lost_inboxes> lost_;
  std::vector<caf::actor> actors_;
};

} // namespace trunkline
