/// The actor in front of a route table, and behind it the embedder's routes: matches, asks who
/// calls, checks scopes, counts requests against the limits, and calls the handler. One per HTTP
/// listener and thread; all share `api_services`. The client API and the admin API differ in their
/// `api_flavour` alone.
#pragma once

#include "actors/gateway_messages.hpp"
#include "actors/messages.hpp"
#include "actors/watched_actor.hpp"
#include "api/api_services.hpp"
#include "api/route.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace trunkline {

/// What makes an API of a gateway.
struct api_flavour {
  /// Gets the caller, or why there is none: once, at once or later, in the gateway.
  using authenticated = std::function<void(caf::expected<caller>)>;

  std::span<const route> routes;

  /// Finds out who sent `request`. A request without credentials gives an unknown caller; wrong
  /// credentials fail with `unauthenticated`.
  void (*authenticate)(gateway_state&, const http_request& request, authenticated);

  /// Turns a failure into the answer.
  http_response (*error)(const caf::error&);

  bool shared_with_browsers = false; ///< Answer CORS preflights, allow every origin.
  bool limited = false;              ///< Count requests, answer 429 past the limit.
};

class gateway_state {
public:
  explicit gateway_state(gateway_handle::pointer actor) : self{actor} {}

  gateway_handle::behavior_type make_behavior(api_services_ptr shared, api_flavour kind);

  const gateway_handle::pointer self;
  api_services_ptr services;
  api_flavour flavour;

private:
  struct exchange;
  using exchange_ptr = std::shared_ptr<exchange>;

  void begin(gateway_exchange& arrived);
  void find_row(exchange& current) const;
  void check_standing(const exchange_ptr& current, const caller& who);
  void authenticate(const exchange_ptr& current);
  void admit(const exchange_ptr& current, const caf::expected<caller>& who);
  void handle(exchange& current, caller who);
  void handle_own(exchange& current, caller who);
};

/// The gateway as an actor, to be spawned.
gateway_handle::behavior_type gateway(watched_pointer<gateway_handle, gateway_state> self,
                                      api_services_ptr services, api_flavour flavour);

/// Returns the function that a server's threads call: it lets a request in with a ticket, hands it
/// to the gateways in turn, and answers 503 when there is no ticket, the node drains, or its
/// lease is over.
http_handler enter(std::vector<gateway_handle> gateways, api_services_ptr services,
                   api_flavour flavour);

/// The same for requests that may come from this process: in the name of the given caller, who is
/// not counted against the limits, or, when it is null, as their headers say.
using in_process_handler =
    std::function<void(http_request, std::shared_ptr<const caller>, http_reply)>;
in_process_handler enter_as(std::vector<gateway_handle> gateways, api_services_ptr services,
                            api_flavour flavour);

} // namespace trunkline
