#include "api/gateway.hpp"

#include "actors/queries_access.hpp"
#include "api/custom_routes.hpp"
#include "api/errors.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

namespace trunkline {

namespace {

constexpr auto exposed_headers =
    "Link, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id";

/// Runs when an exchange is answered, on whatever thread answers: it knows what the request was.
struct answer_dressing {
  api_services_ptr services;
  bool shared_with_browsers = false;
  std::optional<rate_standing> standing;

  void dress(http_response& response) const {
    auto& headers = response.headers;
    if (find_header(headers, "X-Content-Type-Options").empty()) // else another node's has done it
      headers.emplace_back("X-Content-Type-Options", "nosniff");
    if (find_header(headers, "Referrer-Policy").empty())
      headers.emplace_back("Referrer-Policy", "same-origin");
    if (shared_with_browsers) {
      headers.emplace_back("Access-Control-Allow-Origin", "*");
      headers.emplace_back("Access-Control-Expose-Headers", exposed_headers);
    }
    if (find_header(headers, "Cache-Control").empty())
      headers.emplace_back("Cache-Control", "private, no-store");
    if (!standing)
      return;
    headers.emplace_back("X-RateLimit-Limit", std::to_string(standing->limit));
    headers.emplace_back("X-RateLimit-Remaining", std::to_string(standing->remaining));
    headers.emplace_back("X-RateLimit-Reset", to_iso8601(standing->reset));
  }
};

/// Whose count a request goes to: a person's, an app's, or an address's.
std::string limit_key(const caller& who, const http_request& request) {
  if (who.account)
    return "account:" + to_string(who.account);
  if (who.known)
    return "token:" + who.token;
  return "address:" + address_bucket(request.peer);
}

http_response preflight() {
  auto response = http_response{.status = 204};
  response.headers = {
      {"Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"},
      {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key"},
      {"Access-Control-Max-Age", "86400"}};
  return response;
}

/// Other servers send for many people from one address: they have limits of their own.
bool serves_servers(const route_match& match) {
  return match.row && match.row->who == access::server;
}

/// Why `who` may not use `row`; nothing when he may.
caf::error refusal(const route& row, const caller& who) {
  if (row.who == access::server)
    return {};
  if (row.who != access::open && !who.known)
    return make_error(errc::unauthenticated, "The access token is invalid");
  if (row.who == access::user && !who.account)
    return make_error(errc::invalid, "This method requires an authenticated user");
  if (who.known && !covers(who.scopes, row.scope))
    return make_error(errc::forbidden, "This action is outside the authorized scopes");
  return {};
}

/// Adds the methods of one Allow header to another.
void add_methods(std::string& allow, std::string_view more) {
  while (!more.empty()) {
    const auto end = std::min(more.find(", "), more.size());
    const auto method = more.substr(0, end);
    if ((", " + allow + ", ").find(", " + std::string{method} + ", ") == std::string::npos)
      allow.append(allow.empty() ? "" : ", ").append(method);
    more.remove_prefix(std::min(end + 2, more.size()));
  }
}

/// Neither of the two kinds can keep the other out.
ticket take_ticket(api_services& services, const api_flavour& flavour,
                   const http_request& request) {
  const auto is_delivery = request.method == http_method::post &&
                           serves_servers(find_route(flavour.routes, request.method, request.path));
  return is_delivery ? services.inbox_tickets.take() : services.tickets.take();
}

} // namespace

struct gateway_state::exchange {
  http_request request;
  http_reply reply;
  route_match match;
  std::shared_ptr<answer_dressing> dressing;
  api_flavour flavour;
  const custom_route* own = nullptr; ///< The embedder's route that was matched, if it is one.
  bool in_process = false;           ///< Sent by the program around the engine: not counted.

  void refuse(const caf::error& failure) const {
    dressing->services->counters.refused(code_of(failure));
    reply(flavour.error(failure));
  }
};

gateway_handle::behavior_type gateway_state::make_behavior(api_services_ptr shared,
                                                           api_flavour kind) {
  services = std::move(shared);
  flavour = kind;
  return {[this](gateway_exchange& arrived) { begin(arrived); },
          [](const gateway_turn& turn) { turn.go_on(); }};
}

void gateway_state::begin(gateway_exchange& arrived) {
  auto dressing = std::make_shared<answer_dressing>();
  dressing->services = services;
  dressing->shared_with_browsers = flavour.shared_with_browsers;
  auto current = std::make_shared<exchange>();
  current->dressing = dressing;
  current->flavour = flavour;
  current->request = std::move(arrived.request);
  current->reply = http_reply{[dressing, send = std::move(arrived.reply)](http_response response) {
    dressing->dress(response);
    dressing->services->counters.answered(response.status);
    send(std::move(response));
  }};
  if (flavour.shared_with_browsers && current->request.method == http_method::options)
    return current->reply(preflight());
  find_row(*current);
  current->in_process = arrived.who != nullptr;
  if (arrived.who)
    return check_standing(current, *arrived.who);
  if (serves_servers(current->match))
    return admit(current, caller{});
  authenticate(current);
}

/// A row of ours goes before one of the embedder's, whatever its method is.
void gateway_state::find_row(exchange& current) const {
  const auto& request = current.request;
  current.match = find_route(flavour.routes, request.method, request.path);
  if (current.match.row || !services->own_routes)
    return;
  auto own = services->own_routes->find(request.method, request.path);
  if (!own.row)
    return add_methods(current.match.allow, own.allow);
  current.own = &services->own_routes->at(*own.row);
  current.match = std::move(own);
}

/// A token ends with its account's; whoever comes without one must be looked at.
void gateway_state::check_standing(const exchange_ptr& current, const caller& who) {
  if (!who.account)
    return admit(current, who);
  ask_storage(self, services->storage, ask_standing(who.account),
              [this, current, who](const caf::expected<caf::unit_t>& standing) {
                admit(current, standing ? caf::expected<caller>{who} : standing.error());
              });
}

void gateway_state::authenticate(const exchange_ptr& current) {
  flavour.authenticate(*this, current->request,
                       [this, current](caf::expected<caller> who) { admit(current, who); });
}

/// Counts first, so that what is refused counts as well: paths that do not exist, wrong tokens.
void gateway_state::admit(const exchange_ptr& current, const caf::expected<caller>& who) {
  const auto known = who ? *who : caller{};
  if (flavour.limited && !current->in_process && !serves_servers(current->match)) {
    current->dressing->standing =
        services->requests.count(limit_key(known, current->request), services->clock());
    if (current->dressing->standing->exceeded && !services->options.test_enabled)
      return current->refuse(make_error(errc::rate_limited, "Too many requests"));
  }
  const auto* row = current->match.row;
  if (!row && current->match.allow.empty())
    return current->refuse(make_error(errc::not_found, "Record not found"));
  if (!row) {
    auto response = flavour.error(make_error(errc::not_allowed, "Method not allowed"));
    response.headers.emplace_back("Allow", current->match.allow);
    services->counters.refused(errc::not_allowed);
    return current->reply(std::move(response));
  }
  if (!who)
    return current->refuse(who.error());
  if (auto failure = refusal(*row, known))
    return current->refuse(failure);
  handle(*current, known);
}

/// The embedder reads query and body himself.
void gateway_state::handle_own(exchange& current, caller who) {
  if (current.request.body.size() > current.own->body_bytes_max)
    return current.refuse(make_error(errc::too_large, "The body is too large for this route"));
  const auto request = matched_request{.http = current.request,
                                       .segments = std::move(current.match.segments),
                                       .params = {},
                                       .who = std::move(who)};
  current.own->handler(request, current.reply);
}

void gateway_state::handle(exchange& current, caller who) {
  if (current.own)
    return handle_own(current, std::move(who));
  auto params = serves_servers(current.match)
                    ? request_params{}
                    : parse_params(current.request.query, current.request.header("Content-Type"),
                                   current.request.body);
  if (!params)
    return current.refuse(params.error());
  const auto request = matched_request{.http = current.request,
                                       .segments = std::move(current.match.segments),
                                       .params = std::move(*params),
                                       .who = std::move(who)};
  current.match.row->handler(*this, request, current.reply);
}

gateway_handle::behavior_type gateway(watched_pointer<gateway_handle, gateway_state> self,
                                      api_services_ptr services, api_flavour flavour) {
  self->set_label("gateway");
  return self->state.make_behavior(std::move(services), flavour);
}

in_process_handler enter_as(std::vector<gateway_handle> gateways, api_services_ptr services,
                            api_flavour flavour) {
  auto turn = std::make_shared<std::atomic<std::size_t>>(0);
  return [gateways, services, flavour, turn](http_request request,
                                             std::shared_ptr<const caller> who, http_reply reply) {
    const auto is_open = !services->draining && may_act(services->lease);
    auto place = is_open ? take_ticket(*services, flavour, request) : nullptr;
    if (!place) {
      services->counters.refused(errc::unavailable);
      services->counters.answered(503);
      return reply(flavour.error(make_error(errc::unavailable)));
    }
    auto held = http_reply{
        [place, reply = std::move(reply)](http_response response) { reply(std::move(response)); }};
    caf::anon_send(gateways[turn->fetch_add(1) % gateways.size()],
                   gateway_exchange{std::move(request), std::move(held), std::move(who)});
  };
}

http_handler enter(std::vector<gateway_handle> gateways, api_services_ptr services,
                   api_flavour flavour) {
  return [entry = enter_as(std::move(gateways), std::move(services), flavour)](http_request request,
                                                                               http_reply reply) {
    entry(std::move(request), nullptr, std::move(reply));
  };
}

} // namespace trunkline
