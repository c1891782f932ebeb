/// The gateways of a node that serves, behind its listeners and for requests of no socket.
#pragma once

#include "actors/gateway_messages.hpp"
#include "api/admin_services.hpp"
#include "api/api_services.hpp"
#include "api/gateway.hpp"
#include "engine/in_process_requests.hpp"
#include "engine/node_actors.hpp"
#include "engine/node_federation.hpp"
#include "engine/node_listeners.hpp"
#include "engine/settings.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

class node_servers {
public:
  /// Makes what the gateways share; nothing listens yet. `admin` outlives the servers.
  node_servers(const node_config& config, node_actors& actors, const node_federation& federation,
               wall_clock clock, admin_services& admin);

  /// Keeps the listeners of a node that stands by, for whom others answer.
  void keep(std::unique_ptr<node_listeners> open);

  /// Answers from now on: at the listeners that it keeps, or at those that it opens.
  caf::error listen(const node_config& config);

  const node_listeners& listeners() const { return *listeners_; }

  /// Serves a request of no socket. `who`: in whose name; null: as the headers say.
  void handle(http_request request, std::shared_ptr<const caller> who, http_reply reply);
  void handle_admin(http_request request, http_reply reply);

  /// Answers 503 to everything from now on. Does not block.
  void refuse_all();

  /// Refuses new requests of clients and of no socket, and waits for those in flight. The admin API
  /// goes on for those who come over a socket.
  bool drain(std::chrono::milliseconds limit, const std::shared_ptr<virtual_world>& world);

  /// Closes every listener and connection.
  void stop();

  const api_services_ptr client_api;
  const api_services_ptr admin_api;

private:
  in_process_requests in_process_;
  std::vector<gateway_handle> web_gateways_;
  std::vector<gateway_handle> admin_gateways_;
  in_process_handler web_entry_;
  http_handler admin_entry_;
  std::unique_ptr<node_listeners> listeners_ = std::make_unique<node_listeners>();
  bool are_open_ = false; ///< The listeners.
};

} // namespace trunkline
