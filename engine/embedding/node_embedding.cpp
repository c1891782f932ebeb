#include "engine/embedding/node_embedding.hpp"

#include "actors/event_hub.hpp"
#include "engine/config_rules.hpp"
#include "engine/embedding/callback_worker.hpp"
#include "engine/embedding/failures.hpp"
#include "engine/embedding/filter_chain.hpp"
#include "engine/embedding/hook_board.hpp"
#include "engine/embedding/own_routes.hpp"
#include "engine/embedding/subscriptions.hpp"
#include "engine/embedding/webhook_post.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_federation.hpp"
#include "engine/node_log.hpp"
#include "engine/node_servers.hpp"

#include <caf/actor_cast.hpp>

#include <utility>

namespace trunkline {

namespace {

/// How long a callback may go on when the node ends, before its thread is left behind.
constexpr auto end_limit = std::chrono::seconds{2};

/// Two that want the rows of the log.
class both_caches final : public log_cache {
public:
  both_caches(std::shared_ptr<log_cache> first, std::shared_ptr<log_cache> second)
      : first_{std::move(first)}, second_{std::move(second)} {}

  void apply(const log_entry& row) override {
    first_->apply(row);
    second_->apply(row);
  }

private:
  const std::shared_ptr<log_cache> first_;
  const std::shared_ptr<log_cache> second_;
};

} // namespace

node_embedding::node_embedding(const node_options& options, node_log& log, wall_clock clock)
    : extensions_{options.extensions}, world_{options.world}, log_{log}, clock_{std::move(clock)},
      urls_{own_urls(options.config.values)} {
  if (webhook_post::is_wanted(options))
    webhooks_ = std::make_unique<webhook_post>(options, log_, clock_);
  const auto has_hooks = extensions_ && !extensions_->hooks.empty();
  if (webhooks_ || has_hooks)
    open_events();
  if (!extensions_)
    return;
  if (extensions_->on_lost)
    lost_ = std::make_unique<callback_worker>(1, world_);
  if (!extensions_->filters.empty())
    make_chain();
  if (!extensions_->routes.empty())
    routes_ = std::make_unique<own_routes>(extensions_->routes, world_);
  subscriptions_ = std::make_shared<subscriptions>(world_);
  if (events)
    events = std::make_shared<both_caches>(events, subscriptions_);
  else
    events = subscriptions_;
}

node_embedding::~node_embedding() {
  end();
}

void node_embedding::make_chain() {
  auto options = filter_chain_options{};
  options.log = [&log = log_](const std::string& line) {
    log.write(log_level::warning, "filter", {{"problem", line}});
  };
  chain_ = std::make_shared<filter_chain>(extensions_->filters, world_, std::move(options));
  gate = chain_;
}

/// Everybody who wants events stands in the hub before the first actor runs.
void node_embedding::open_events() {
  hub_ = std::make_shared<event_hub>();
  if (webhooks_) {
    hub_->subscribe(webhooks_->as_subscriber());
    outbox = webhooks_->outbox();
  }
  if (extensions_ && !extensions_->hooks.empty()) {
    hooks_ = std::make_unique<hook_board>(extensions_->hooks, world_);
    hub_->subscribe(hooks_->as_subscriber());
  }
  if (hub_->wants_rows())
    events = hub_;
  if (hub_->wants_deliveries())
    hosts.on_delivery = [hub = hub_](const delivery_event& event) { hub->tell(event); };
  if (hub_->wants_host_states())
    hosts.on_state = [hub = hub_](const host_state_event& event) { hub->tell(event); };
}

void node_embedding::begin_events(node_actors& actors) {
  const auto renderer = actors.system().spawn(
      event_renderer,
      event_renderer_dependencies{.storage = actors.storage, .hub = hub_, .urls = urls_},
      event_renderer_options{});
  actors.end_first(caf::actor_cast<caf::actor>(renderer));
  hub_->begin(renderer);
}

caf::error node_embedding::prepare() {
  return webhooks_ ? webhooks_->prepare() : caf::error{};
}

void node_embedding::begin_own(node_actors& actors, node_servers& servers) {
  if (routes_)
    servers.client_api->own_routes = routes_->table();
  if (subscriptions_)
    subscriptions_->begin(
        {.client =
             [&servers](http_request request, std::shared_ptr<const caller> who, http_reply reply) {
               servers.handle(std::move(request), std::move(who), std::move(reply));
             },
         .admin = {},
         .world = world_},
        actors.memory.position);
}

void node_embedding::begin(node_actors& actors, node_federation& federation,
                           node_servers& servers) {
  begin_own(actors, servers);
  if (hub_ && hub_->wants_rows())
    begin_events(actors);
  if (webhooks_)
    webhooks_->begin(actors, federation.sender());
}

void node_embedding::end() {
  if (subscriptions_)
    subscriptions_->end(end_limit);
  if (routes_)
    routes_->end(end_limit);
  if (webhooks_)
    webhooks_->end(end_limit);
  if (chain_)
    chain_->stop(end_limit);
  if (hub_)
    hub_->end();
  if (hooks_)
    hooks_->end(end_limit);
  if (lost_)
    lost_->stop(end_limit);
}

result<subscription> node_embedding::subscribe(account_id account, timeline_function call) {
  if (subscriptions_)
    return subscriptions_->add(account, std::move(call));
  return make_failure(failure_kind::unavailable, "subscribe", "there are no subscriptions here");
}

std::vector<filter_report> node_embedding::filters() const {
  return chain_ ? chain_->reports() : std::vector<filter_report>{};
}

std::vector<hook_report> node_embedding::hooks() const {
  return hooks_ ? hooks_->reports() : std::vector<hook_report>{};
}

std::vector<webhook_facts> node_embedding::webhooks() const {
  return webhooks_ ? webhooks_->facts() : std::vector<webhook_facts>{};
}

void node_embedding::tell_lost(const caf::error& reason) {
  if (lost_)
    lost_->post([tell = extensions_->on_lost, why = to_failure(reason)] { tell(why); });
}

} // namespace trunkline
