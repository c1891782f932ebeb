/// The two HTTP servers of a node and the gateways behind them.
#pragma once

#include "actors/gateway_messages.hpp"
#include "api/admin_services.hpp"
#include "api/api_services.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_federation.hpp"
#include "engine/settings.hpp"
#include "net/http_server.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace trunkline {

class node_servers {
public:
  /// Makes what the gateways share; nothing listens yet. `admin` outlives the servers.
  node_servers(const node_config& config, node_actors& actors, const node_federation& federation,
               wall_clock clock, admin_services& admin);

  /// Opens the admin listeners first, so that a node can be watched while it starts.
  caf::error listen(const node_config& config);

  std::string web_url() const { return web_url_; }
  std::string admin_url() const { return admin_url_; }

  /// Refuses new requests of clients and waits for those in flight. The admin API goes on.
  bool drain(std::chrono::milliseconds limit);

  /// Closes every listener and connection.
  void stop();

  http_server_counters web_counters() const;
  http_server_counters admin_counters() const;

  const api_services_ptr client_api;
  const api_services_ptr admin_api;

private:
  std::vector<gateway_handle> web_gateways_;
  std::vector<gateway_handle> admin_gateways_;
  std::unique_ptr<http_server> web_;
  std::unique_ptr<http_server> admin_;
  std::string web_url_;
  std::string admin_url_;
};

} // namespace trunkline
