/// What an embedder has added to a node: filters, hooks, webhooks, routes, and the threads that run
/// them.
///
/// Made before the actors and ended before them. A node without extensions has an empty one.
#pragma once

#include "actors/content_gate.hpp"
#include "actors/log_cache.hpp"
#include "actors/webhook_status.hpp"
#include "engine/embedding/host_listeners.hpp"
#include "engine/node_options.hpp"
#include "protocol/ids.hpp"
#include "protocol/names.hpp"
#include "protocol/time.hpp"
#include "trunkline/calls.hpp"

#include <caf/error.hpp>

#include <memory>
#include <vector>

namespace trunkline {

class event_hub;
class filter_chain;
class hook_board;
class node_actors;
class node_federation;
class node_log;
class node_servers;
class own_routes;
class subscriptions;
class callback_worker;
class webhook_outbox;
class webhook_post;

class node_embedding {
public:
  /// `log` outlives it. Throws `std::system_error` when no thread can be started.
  node_embedding(const node_options& options, node_log& log, wall_clock clock);
  ~node_embedding();
  node_embedding(const node_embedding&) = delete;
  node_embedding& operator=(const node_embedding&) = delete;

  /// Judges what can be judged at the start alone. Once, before the actors. Blocks for files. Fails
  /// with what is wrong.
  caf::error prepare();

  /// Starts what stands on the actors. Once, when they run.
  void begin(node_actors& actors, node_federation& federation, node_servers& servers);

  /// Ends what stands on the actors; no call of the embedder's begins afterwards.
  void end();

  /// Tells the embedder, on a thread of its own, that the node answers nothing any more.
  void tell_lost(const caf::error& reason);

  /// Calls `call` for what enters the home of `account` from now on. The account has been checked.
  result<subscription> subscribe(account_id account, timeline_function call);

  /// How the filters have decided, in the order in which they were added.
  std::vector<filter_report> filters() const;

  /// How the hooks do, in the order in which they were added.
  std::vector<hook_report> hooks() const;

  /// How the webhooks do, that of the configuration first.
  std::vector<webhook_facts> webhooks() const;

  std::shared_ptr<content_gate> gate; ///< Null without filters.
  std::shared_ptr<log_cache> events;  ///< Gets the rows of the log; null when nobody wants them.
  host_listeners hosts;               ///< Empty where nobody wants to be told.
  /// Gets what `hosts` is told, for the dispatcher; null when no webhook wants it.
  std::shared_ptr<webhook_outbox> outbox;

private:
  void make_chain();
  void open_events();
  void begin_events(node_actors& actors);
  void begin_own(node_actors& actors, node_servers& servers);

  const std::shared_ptr<const node_extensions> extensions_; ///< Null: none.
  const std::shared_ptr<virtual_world> world_;
  node_log& log_;
  const wall_clock clock_;
  std::unique_ptr<callback_worker> lost_; ///< Null unless somebody wants to be told.
  std::shared_ptr<filter_chain> chain_;   ///< The gate; null without filters.
  url_space urls_;
  std::unique_ptr<webhook_post> webhooks_; ///< Null without webhooks.
  std::unique_ptr<hook_board> hooks_;      ///< Null without hooks. Outlives whoever tells the hub.
  std::shared_ptr<event_hub> hub_;         ///< Null without hooks and webhooks.
  std::unique_ptr<own_routes> routes_;     ///< Null without routes.
  std::shared_ptr<subscriptions> subscriptions_; ///< Null without extensions.
};

} // namespace trunkline
