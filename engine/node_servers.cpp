#include "engine/node_servers.hpp"

#include "actors/messages.hpp"
#include "api/admin_api.hpp"
#include "api/client_api.hpp"
#include "engine/config_rules.hpp"
#include "engine/listeners.hpp"
#include "trunkline/version.hpp"

#include <algorithm>

namespace trunkline {

namespace {

api_services_ptr make_services(const node_config& config, const node_actors& actors,
                               const node_federation& federation, wall_clock clock) {
  auto options = api_options{.domain = config.server.domain,
                             .url = config.server.url,
                             .own_urls = own_urls(config),
                             .version = std::string{version()},
                             .test_enabled = config.test.enabled,
                             .requests = {.requests = config.rate_limit.requests},
                             .figures_age = std::chrono::minutes{config.test.enabled ? 0 : 5},
                             .exchanges_max = config.server.requests_max,
                             .authorized_fetch = config.federation.authorized_fetch,
                             .inbox_waiting_max = config.federation.inbox_waiting_max};
  auto services =
      std::make_shared<api_services>(std::move(options), actors.storage, std::move(clock));
  services->accounts = actors.accounts;
  services->timelines = actors.timelines;
  services->tokens = actors.memory.tokens;
  services->counts = actors.memory.counts;
  services->ids = actors.ids;
  services->passwords = actors.passwords;
  services->resolver = federation.resolver;
  services->signing = federation.signing;
  services->signature_checker = federation.signature_checker;
  services->inbox = federation.inbox;
  services->hosts = federation.hosts;
  services->board = actors.memory.board;
  services->budget = federation.budget;
  services->dispatcher = actors.dispatcher;
  services->at_point = federation.at_point;
  services->gate = federation.gate;
  return services;
}

std::vector<gateway_handle> spawn_gateways(node_actors& actors, std::size_t count,
                                           const api_services_ptr& services,
                                           const api_flavour& flavour) {
  auto all = std::vector<gateway_handle>{};
  for (auto i = std::size_t{0}; i < count; ++i) {
    all.push_back(actors.system().spawn(gateway, services, flavour));
    actors.end_first(caf::actor_cast<caf::actor>(all.back()));
  }
  return all;
}

} // namespace

node_servers::node_servers(const node_config& config, node_actors& actors,
                           const node_federation& federation, wall_clock clock,
                           admin_services& admin)
    : client_api{make_services(config, actors, federation, clock)}, admin_api{make_services(
                                                                        config, actors, federation,
                                                                        clock)} {
  admin_api->admin = &admin;
  client_api->lease = actors.serving_lease;
  const auto admin_kind = admin_flavour(config.test.enabled);
  const auto gateways = actors.is_virtual() ? std::size_t{1} : http_threads();
  web_gateways_ = spawn_gateways(actors, gateways, client_api, client_flavour());
  admin_gateways_ = spawn_gateways(actors, 1, admin_api, admin_kind);
  web_entry_ = enter_as(web_gateways_, client_api, client_flavour());
  admin_entry_ = enter(admin_gateways_, admin_api, admin_kind);
}

void node_servers::keep(std::unique_ptr<node_listeners> open) {
  listeners_ = std::move(open);
  are_open_ = true;
}

caf::error node_servers::listen(const node_config& config) {
  auto own = node_answerers{.web =
                                [entry = web_entry_](http_request request, http_reply reply) {
                                  entry(std::move(request), nullptr, std::move(reply));
                                },
                            .admin = admin_entry_};
  if (are_open_) {
    listeners_->answer_by(std::move(own));
    return {};
  }
  auto opened = node_listeners::open(config, std::move(own));
  if (!opened)
    return std::move(opened.error());
  keep(std::move(*opened));
  return {};
}

void node_servers::handle(http_request request, std::shared_ptr<const caller> who,
                          http_reply reply) {
  auto counted = in_process_.begin(reply);
  if (!counted)
    return reply({.status = 503,
                  .body = R"({"error":"The engine drains"})",
                  .headers = {{"Retry-After", "5"}}});
  web_entry_(std::move(request), std::move(who), std::move(*counted));
}

void node_servers::handle_admin(http_request request, http_reply reply) {
  auto counted = in_process_.begin(reply);
  if (!counted)
    return reply({.status = 503,
                  .body = R"({"detail":"the engine drains"})",
                  .headers = {{"Retry-After", "5"}}});
  admin_entry_(std::move(request), std::move(*counted));
}

void node_servers::refuse_all() {
  client_api->draining = true;
  admin_api->draining = true;
}

bool node_servers::drain(std::chrono::milliseconds limit,
                         const std::shared_ptr<virtual_world>& world) {
  const auto end = std::chrono::steady_clock::now() + limit;
  listeners_->stop_accepting();
  const auto answered = in_process_.drain(limit, world);
  const auto left = std::max<std::chrono::nanoseconds>(std::chrono::nanoseconds{0},
                                                       end - std::chrono::steady_clock::now());
  return listeners_->drain(left) && answered;
}

void node_servers::stop() {
  refuse_all();
  listeners_->stop();
}

} // namespace trunkline
