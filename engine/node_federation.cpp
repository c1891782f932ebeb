#include "engine/node_federation.hpp"

#include "actors/host_gate.hpp"
#include "actors/host_mover.hpp"
#include "actors/host_records.hpp"
#include "actors/inbox_lane.hpp"
#include "actors/inbox_waker.hpp"
#include "actors/leased_sender.hpp"
#include "actors/lost_inbox.hpp"
#include "actors/messages.hpp"
#include "actors/remote_host.hpp"
#include "actors/resolver.hpp"
#include "actors/shard_region.hpp"
#include "actors/signature_checker.hpp"
#include "actors/signing_pool.hpp"
#include "engine/config_rules.hpp"
#include "engine/embedding/transport_sender.hpp"
#include "engine/heartbeat.hpp"
#include "engine/node_storage.hpp"
#include "trunkline/version.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <csignal>
#include <random>
#include <string>
#include <thread>
#include <utility>

namespace trunkline {

namespace {

http_client_options client_options(const node_config& config) {
  auto options = http_client_options{};
  options.user_agent = "Trunkline/" + std::string{version()} + " (+" + config.server.url + ")";
  options.allow_http = config.test.enabled;
  options.allowed_addresses = config.federation.allow_addresses;
  options.own_hosts = {config.server.domain};
  options.name_servers = config.federation.name_servers;
  options.requests_max = static_cast<std::size_t>(client_requests_max(config));
  options.connections_max = static_cast<std::size_t>(config.delivery.connections_max);
  options.lookups_max = static_cast<std::size_t>(config.delivery.lookups_max);
  return options;
}

/// Where this server is found by others: it never asks itself.
host_address own_host(const node_config& config) {
  const auto rules = url_rules{.allow_http = config.test.enabled};
  const auto url = parse_remote_url(own_urls(config).origin + "/", rules);
  return url ? url->host : host_address{.scheme = "https", .name = config.server.domain};
}

/// Passes requests on; what posts is a named point.
class pointed_sender final : public http_sender {
public:
  pointed_sender(std::shared_ptr<http_sender> inner, named_points at_point)
      : inner_{std::move(inner)}, at_point_{std::move(at_point)} {}

  void send(outgoing_request request, exchange_handler done) override {
    if (request.method == http_method::post)
      at_point_("delivery_send");
    inner_->send(std::move(request), std::move(done));
  }
  void cancel(std::uint64_t id) override { inner_->cancel(id); }

private:
  const std::shared_ptr<http_sender> inner_;
  const named_points at_point_;
};

/// In a virtual world time passes as its clock says.
std::function<std::chrono::steady_clock::time_point()> steady_of(const node_actors& actors,
                                                                 const wall_clock& clock) {
  using std::chrono::steady_clock;
  if (!actors.is_virtual())
    return [] { return steady_clock::now(); };
  return [clock] { return steady_clock::time_point{clock().time_since_epoch()}; };
}

/// How long a transport of the embedder's is waited for; at most twice as long.
constexpr auto transport_patience = std::chrono::seconds{15};

/// The embedder's transport, the network of the world, or the engine's own client.
caf::expected<std::shared_ptr<node_sender>> sender_of(const node_options& options,
                                                      node_actors& actors) {
  const auto& config = options.config.values;
  if (options.extensions && options.extensions->transport) {
    auto made = std::make_shared<transport_sender>(options.extensions->transport,
                                                   config.server.domain, options.world);
    actors.end_first(caf::actor_cast<caf::actor>(actors.system().spawn(
        heartbeat, [made] { made->end_aged(); }, transport_patience)));
    return std::shared_ptr<node_sender>{std::move(made)};
  }
  if (options.world)
    return options.world->sender(config.server.domain);
  return start_own_client(client_options(config));
}

} // namespace

/// The design's, in proportion.
delivery_budget_limits budget_limits(const node_config& config) {
  auto limits = delivery_budget_limits{};
  const auto design = limits.healthy + limits.unproven + limits.retry + limits.probe;
  const auto scale = [](std::int64_t& value, std::int64_t configured, std::int64_t of) {
    value = std::max<std::int64_t>(1, value * configured / of);
  };
  for (auto* fresh : {&limits.unproven, &limits.retry, &limits.probe, &limits.domain_fresh})
    scale(*fresh, config.delivery.in_flight_max, design);
  limits.healthy = config.delivery.in_flight_max - limits.unproven - limits.retry - limits.probe;
  scale(limits.domain_slow, config.delivery.slow_max, limits.slow);
  limits.slow = config.delivery.slow_max;
  return limits;
}

named_points points_of(const node_config& config) {
  if (config.test.kill_at.empty())
    return [](std::string_view) {};
  return [fatal = config.test.kill_at](std::string_view point) {
    if (point == fatal)
      std::raise(SIGKILL);
  };
}

caf::expected<std::unique_ptr<node_federation>>
node_federation::start(const node_options& options, node_actors& actors, const wall_clock& clock,
                       node_log& log, const host_listeners& told,
                       std::shared_ptr<content_gate> gate,
                       const std::optional<cluster_wires>& cluster) {
  const auto& config = options.config.values;
  auto secret = secret_key_of(options);
  if (!secret)
    return std::move(secret.error());
  auto sender = sender_of(options, actors);
  if (!sender)
    return std::move(sender.error());
  auto made = std::unique_ptr<node_federation>{new node_federation};
  made->sender_ = std::move(*sender);
  made->at_point = points_of(config);
  made->gate = std::move(gate);
  made->spawn_signing(config, actors, clock, std::move(*secret));
  made->spawn_hosts(options, actors, clock, log, told);
  if (cluster)
    made->spawn_gate(actors, *cluster);
  made->spawn_askers(config, actors, clock);
  made->spawn_inbox(config, actors, clock, log);
  // Without one of these federation would stand still without a word.
  actors.must_live(caf::actor_cast<caf::actor>(made->signing), "signing_pool");
  actors.must_live(caf::actor_cast<caf::actor>(made->signature_checker), "signature_checker");
  actors.must_live(caf::actor_cast<caf::actor>(made->resolver), "resolver");
  actors.end_second(made->actors_, [used = made->sender_, lost = made->lost_] {
    lost->set_resolver({});
    used->stop();
  });
  return made;
}

void node_federation::spawn_signing(const node_config& config, node_actors& actors,
                                    const wall_clock& clock, std::string secret) {
  auto limits = signing_pool_options{};
  if (actors.is_virtual()) {
    limits.workers = 1;
    limits.detached = false;
  }
  signing = actors.system().spawn(signing_pool,
                                  signing_pool_dependencies{.storage = actors.storage,
                                                            .keys = actors.memory.keys,
                                                            .secret_key = std::move(secret),
                                                            .urls = own_urls(config),
                                                            .clock = clock},
                                  limits);
  actors_.push_back(caf::actor_cast<caf::actor>(signing));
}

void node_federation::spawn_hosts(const node_options& options, node_actors& actors,
                                  const wall_clock& clock, node_log& log,
                                  const host_listeners& told) {
  const auto steady = steady_of(actors, clock);
  budget = std::make_shared<delivery_budget>(budget_limits(options.config.values), steady);
  outage = std::make_shared<outage_guard>(outage_limits{}, steady, actors.lease);
  lost_ = std::make_shared<lost_inboxes>(actors.system(), actors.storage);
  const auto lost = lost_;
  auto sender =
      std::shared_ptr<http_sender>{std::make_shared<leased_sender>(sender_, actors.lease)};
  if (!options.config.values.test.kill_at.empty())
    sender = std::make_shared<pointed_sender>(std::move(sender), at_point);
  const auto one_host = remote_host_dependencies{
      .storage = actors.storage,
      .signing = signing,
      .dispatcher = actors.dispatcher,
      .log_reader = actors.log_reader,
      .sender = std::move(sender),
      .budget = budget,
      .bodies = std::make_shared<delivery_bodies>(),
      .outage = outage,
      .board = actors.memory.board,
      .urls = own_urls(options.config.values),
      .clock = clock,
      .blocked = actors.memory.blocked,
      .log =
          [&log](const std::string& line) {
            log.write(log_level::info, "host_state", {{"change", line}});
          },
      .on_missing = [lost](const missing_inbox& one) { lost->report(one); },
      .on_delivery = told.on_delivery,
      .on_state = told.on_state,
      .seed = options.world ? options.world->chance() : std::random_device{}()};
  auto* system = &actors.system();
  const auto limits = remote_host_options{};
  auto around_hosts = actors.region_limits<host_address>("remote_host");
  if (const auto places = actors.memory.places)
    around_hosts.may_start = [places](const host_address& host) { return places->has(host); };
  const auto region = system->spawn(
      shard_region<remote_host_handle>,
      [one_host, limits, system](const host_address& host, const host_passivator_handle& around) {
        auto needs = one_host;
        needs.region = around;
        return system->spawn(remote_host, host, std::move(needs), limits);
      },
      host_counters, std::move(around_hosts));
  hosts = caf::actor_cast<remote_host_handle>(region);
  actors_.push_back(caf::actor_cast<caf::actor>(region));
  actors.begin_delivery(hosts, caf::actor_cast<host_stopper_handle>(region), clock);
}

/// Hosts may be on any node, and come and go.
void node_federation::spawn_gate(node_actors& actors, const cluster_wires& cluster) {
  routes = std::make_shared<shard_routes>();
  log_reader_ = actors.log_reader;
  host_gate_ = actors.system().spawn(
      host_gate,
      host_gate_dependencies{.region = hosts,
                             .own_name = cluster.own_name,
                             .is_here = [places = actors.memory.places](
                                            std::uint8_t shard) { return places->has(shard); },
                             .routes = routes,
                             .ask = cluster.ask},
      host_gate_options{});
  host_mover_ = actors.system().spawn(host_mover,
                                      host_mover_dependencies{.storage = actors.storage,
                                                              .dispatcher = actors.dispatcher,
                                                              .routes = routes,
                                                              .node = cluster.node,
                                                              .on_moved = cluster.on_moved},
                                      host_mover_options{});
  hosts = caf::actor_cast<remote_host_handle>(host_gate_);
  actors.must_live(caf::actor_cast<caf::actor>(host_mover_), "host_mover");
  actors.must_live(caf::actor_cast<caf::actor>(host_gate_), "host_gate");
  actors.end_first(caf::actor_cast<caf::actor>(host_mover_));
  actors_.push_back(caf::actor_cast<caf::actor>(host_gate_));
}

void node_federation::see(const cluster_view& view) {
  caf::anon_send(host_mover_, cluster_seen{std::make_shared<const cluster_view>(view)});
}

void node_federation::serve(link_topic topic, const std::string& body, const peer_reply& reply) {
  if (topic == link_topic::fetch)
    return caf::anon_send(host_gate_, serve_peer_fetch{.body = body, .reply = reply});
  if (topic == link_topic::log_news) {
    const auto upto = decode_seq(body);
    if (!upto)
      return reply(upto.error());
    caf::anon_send(log_reader_, log_has_grown{*upto});
  } else {
    const auto host = decode_host(body);
    if (!host)
      return reply(host.error());
    caf::anon_send(host_gate_, serve_peer_sign_of_life{*host});
  }
  reply(std::string{});
}

/// Who asks other servers: for keys, accounts and posts.
void node_federation::spawn_askers(const node_config& config, node_actors& actors,
                                   const wall_clock& clock) {
  const auto fetches = fetch_services{
      .hosts = hosts, .rules = {.allow_http = config.test.enabled}, .own = own_host(config)};
  signature_checker = actors.system().spawn(
      trunkline::signature_checker,
      signature_checker_dependencies{.storage = actors.storage, .fetch = fetches, .clock = clock},
      signature_checker_options{});
  resolver = actors.system().spawn(trunkline::resolver,
                                   resolver_services{.storage = actors.storage,
                                                     .fetch = fetches,
                                                     .domain = config.server.domain,
                                                     .own = own_urls(config),
                                                     .ids = actors.ids,
                                                     .slot = actors.ids->slot(),
                                                     .clock = clock,
                                                     .gate = gate},
                                   resolver_options{});
  lost_->set_resolver(resolver);
  actors_.push_back(caf::actor_cast<caf::actor>(signature_checker));
  actors_.push_back(caf::actor_cast<caf::actor>(resolver));
}

void node_federation::spawn_inbox(const node_config& config, node_actors& actors,
                                  const wall_clock& clock, node_log& log) {
  const auto one_lane =
      inbox_lane_dependencies{.storage = actors.storage,
                              .resolver = resolver,
                              .shared = {.domain = config.server.domain,
                                         .own = own_urls(config),
                                         .ids = actors.ids,
                                         .slot = actors.ids->slot()},
                              .clock = clock,
                              .at_point = at_point,
                              .log =
                                  [&log](const std::string& line) {
                                    log.write(log_level::warning, "inbox", {{"problem", line}});
                                  },
                              .gate = gate};
  auto* system = &actors.system();
  const auto region = system->spawn(
      shard_region<inbox_lane_handle>,
      [one_lane, system](const host_address& host, const host_passivator_handle& around) {
        auto needs = one_lane;
        needs.region = around;
        return system->spawn(inbox_lane, host, std::move(needs), inbox_lane_options{});
      },
      inbox_counters, actors.region_limits<host_address>("inbox_lane"));
  inbox = caf::actor_cast<inbox_lane_handle>(region);
  actors_.push_back(caf::actor_cast<caf::actor>(region));
}

void node_federation::begin_service(node_actors& actors) {
  actors.end_first(caf::actor_cast<caf::actor>(actors.system().spawn(
      inbox_waker, inbox_waker_dependencies{.storage = actors.storage, .lanes = inbox},
      inbox_waker_options{})));
}

} // namespace trunkline
