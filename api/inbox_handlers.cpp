// What other servers send: from a POST to an inbox to a row of `inbox_log` and 202.
//
// What is cheap comes first: type, JSON, who is meant, whose host; then the signature, for which a
// key may have to be fetched; then whose word it is. What is applied, and when, is the lane's.

#include "actors/queries_inbox.hpp"
#include "api/handlers.hpp"
#include "api/handling.hpp"
#include "protocol/activity_rules.hpp"
#include "protocol/document_rules.hpp"
#include "protocol/host_address.hpp"
#include "protocol/media_type.hpp"

#include <memory>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t inbox_body_bytes_max = 1024 * 1024;
constexpr auto busy_retry_after_seconds = "60"; ///< Of 429: the time of some hundred arrivals.

/// A delivery while it is judged. Copied into continuations.
struct delivery_exchange {
  gateway_state* gateway = nullptr;
  http_reply reply;
  std::shared_ptr<const http_request> request;
  std::shared_ptr<const activity> said;
  host_address actor_host;

  const api_services& services() const { return *gateway->services; }
};

void refuse_delivery(const delivery_exchange& exchange, const caf::error& failure) {
  if (code_of(failure) != errc::rate_limited)
    return refuse(*exchange.gateway, exchange.reply, failure);
  refuse(*exchange.gateway, http_reply{[reply = exchange.reply](http_response response) {
    response.headers.emplace_back("Retry-After", busy_retry_after_seconds);
    reply(std::move(response));
  }},
         failure);
}

void accept_delivery(const delivery_exchange& exchange) {
  exchange.reply({.status = 202, .content_type = "text/plain; charset=utf-8"});
}

/// Some old servers call their activities plain JSON.
bool is_inbox_type(std::string_view content_type) {
  const auto type = parse_media_type(content_type);
  return is_activity_type(content_type) || (type && type->essence == "application/json");
}

bool is_signed(const http_request& request) {
  return !request.header("Signature").empty() || !request.header("Signature-Input").empty();
}

/// What needs no look at anything but the request.
caf::error check_form(const http_request& request) {
  if (request.body.size() > inbox_body_bytes_max)
    return make_error(errc::too_large, "body: is larger than 1 MiB");
  if (!is_signed(request))
    return make_error(errc::unauthenticated, "Signature: must be there, of an actor's key");
  if (!is_inbox_type(request.header("Content-Type")))
    return make_error(errc::malformed, "Content-Type: must be application/activity+json");
  return {};
}

caf::expected<std::shared_ptr<const activity>> read_body(const http_request& request) {
  auto document = parse_json(request.body);
  if (!document)
    return std::move(document.error());
  auto said = read_activity(*document);
  if (!said)
    return std::move(said.error());
  return std::make_shared<const activity>(std::move(*said));
}

/// Returns where the actor is at home, which must be another server.
caf::expected<host_address> read_actor_host(const activity& said, const api_services& services) {
  auto url = parse_remote_url(said.actor, {.allow_http = services.options.test_enabled});
  if (!url)
    return make_error(errc::malformed, "actor: " + context_of(url.error()));
  if (is_own_id(said.actor, services.own_urls.origin))
    return make_error(errc::forbidden, "actor: is of this server");
  return std::move(url->host);
}

/// Durable before the answer; what comes after the answer is a hint that may be lost.
void keep(const delivery_exchange& exchange, const std::string& signer, const host_address& host) {
  const auto& services = exchange.services();
  auto row = new_arrival{.signer = signer,
                         .ap_id = exchange.said->id,
                         .host = to_key(host),
                         .body = exchange.request->body};
  ask_storage(exchange.gateway->self, services.storage,
              log_arrival(std::move(row), services.options.inbox_waiting_max, services.ids),
              [exchange, host](const caf::expected<bool>& added) {
                if (!added)
                  return refuse_delivery(exchange, added.error());
                const auto& shared = exchange.services();
                shared.at_point("inbox_logged");
                accept_delivery(exchange);
                shared.at_point("inbox_answered");
                exchange.gateway->self->send(shared.inbox, wake_inbox{host});
              });
}

void judge(const delivery_exchange& exchange, const verified_signer& signer) {
  const auto& services = exchange.services();
  if (services.hosts)
    exchange.gateway->self->send(services.hosts, note_sign_of_life{signer.host});
  const auto judged = judge_activity(*exchange.said, signer.actor, services.own_urls.origin);
  if (judged.verdict == activity_verdict::ignore)
    return accept_delivery(exchange);
  if (judged.verdict == activity_verdict::refuse)
    return refuse_delivery(exchange, make_error(errc::forbidden, std::string{judged.reason}));
  keep(exchange, signer.actor, signer.host);
}

/// Tells whether a key's document is the actor's own, so that its end is the actor's.
bool is_key_of(std::string_view key_id, std::string_view actor) {
  if (!key_id.starts_with(actor))
    return false;
  const auto rest = key_id.substr(actor.size());
  return rest.empty() || rest.front() == '#' || rest.front() == '/' || rest.front() == '?';
}

/// Goes on after a signature that could not be believed. A farewell whose key is gone by the word
/// of its own server is proven by that.
void doubt(const delivery_exchange& exchange, const caf::error& failure) {
  const auto code = code_of(failure);
  const auto& said = *exchange.said;
  if (code == errc::gone && is_farewell(said) && is_key_of(context_of(failure), said.actor))
    return keep(exchange, said.actor, exchange.actor_host);
  const auto is_passing =
      code == errc::unavailable || code == errc::timed_out || code == errc::storage_busy;
  if (is_passing || code == errc::forbidden || code == errc::malformed)
    return refuse_delivery(exchange, failure);
  if (code == errc::gone)
    return refuse_delivery(
        exchange, make_error(errc::unauthenticated, "keyId: " + context_of(failure) + " is gone"));
  refuse_delivery(exchange, make_error(errc::unauthenticated, context_of(failure)));
}

void check(const delivery_exchange& exchange, bool is_known) {
  // Whoever was never heard of leaves nothing behind: no key is fetched for his farewell.
  if (!is_known && is_farewell(*exchange.said))
    return accept_delivery(exchange);
  const auto& services = exchange.services();
  exchange.gateway->self
      ->request(services.signature_checker, services.options.signature_deadline,
                check_signature{.request = exchange.request, .has_body = true})
      .then([exchange](const verified_signer& signer) { judge(exchange, signer); },
            [exchange](const caf::error& failure) { doubt(exchange, failure); });
}

void receive(gateway_state& gateway, const matched_request& request, http_reply reply,
             std::string name) {
  const auto& services = *gateway.services;
  auto exchange = delivery_exchange{.gateway = &gateway, .reply = std::move(reply)};
  if (!services.signature_checker || !services.inbox || !services.ids)
    return refuse_delivery(exchange, make_error(errc::unavailable, "nothing is taken in yet"));
  if (auto failure = check_form(request.http))
    return refuse_delivery(exchange, failure);
  auto said = read_body(request.http);
  if (!said)
    return refuse_delivery(exchange, said.error());
  auto host = read_actor_host(**said, services);
  if (!host)
    return refuse_delivery(exchange, host.error());
  exchange.request = std::make_shared<const http_request>(request.http);
  exchange.said = std::move(*said);
  exchange.actor_host = std::move(*host);
  auto visit = inbox_visit{
      .name = std::move(name), .actor = exchange.said->actor, .host = exchange.actor_host.name};
  ask_storage(gateway.self, services.storage, ask_inbox_door(std::move(visit), services.own_urls),
              [exchange](const caf::expected<bool>& is_known) {
                if (!is_known)
                  return refuse_delivery(exchange, is_known.error());
                check(exchange, *is_known);
              });
}

} // namespace

void receive_for_all(gateway_state& gateway, const matched_request& request, http_reply reply) {
  receive(gateway, request, std::move(reply), {});
}

void receive_for_account(gateway_state& gateway, const matched_request& request, http_reply reply) {
  receive(gateway, request, std::move(reply), request.segment());
}

} // namespace trunkline
