#include "api/documents.hpp"

#include "protocol/accept.hpp"

#include <memory>
#include <utility>

namespace trunkline {

namespace {

constexpr auto shared_for = "public, max-age=180";

bool is_signed(const http_request& request) {
  return !request.header("Signature").empty() || !request.header("Signature-Input").empty();
}

/// Tells whether a later try could end otherwise.
bool is_passing(errc code) {
  return code == errc::unavailable || code == errc::timed_out || code == errc::storage_busy;
}

/// What the sender is told. That his key is gone must not read as if our document were.
caf::error refusal_of(const caf::error& failure) {
  const auto code = code_of(failure);
  if (code == errc::forbidden || is_passing(code))
    return failure;
  return make_error(errc::unauthenticated, context_of(failure));
}

/// Goes on after a signature that could not be believed.
void doubted(document_exchange exchange, const caf::error& failure, const document_step& then) {
  const auto required = exchange.services().options.authorized_fetch;
  if (required || code_of(failure) == errc::forbidden)
    return exchange.refuse(refusal_of(failure));
  if (is_passing(code_of(failure)))
    exchange.doubt = failure;
  then(exchange);
}

} // namespace

void document_exchange::answer(const json_object& document) const {
  answer(to_json(document));
}

void document_exchange::answer(std::string body) const {
  auto response = http_response{.body = std::move(body), .content_type = activity_media_type};
  if (!is_private)
    response.headers.emplace_back("Cache-Control", shared_for);
  reply(std::move(response));
}

void document_exchange::refuse(const caf::error& failure) const {
  const auto hides = code_of(failure) == errc::not_found && doubt;
  trunkline::refuse(*gateway, reply, hides ? doubt : failure);
}

bool wants_document(const matched_request& request) {
  return prefers_activity(request.http.header("Accept"));
}

http_reply varying(http_reply reply) {
  return http_reply{[reply = std::move(reply)](http_response response) {
    response.headers.emplace_back("Vary", "Accept, Signature");
    reply(std::move(response));
  }};
}

document_exchange begin_open(gateway_state& gateway, const matched_request& request,
                             http_reply reply) {
  return {.gateway = &gateway,
          .reply = varying(std::move(reply)),
          .is_private = is_signed(request.http)};
}

void begin_known(gateway_state& gateway, const matched_request& request, http_reply reply,
                 document_step then) {
  const auto& services = *gateway.services;
  auto exchange = begin_open(gateway, request, std::move(reply));
  exchange.is_private = exchange.is_private || services.options.authorized_fetch;
  if (!is_signed(request.http)) {
    if (services.options.authorized_fetch)
      return exchange.refuse(
          make_error(errc::unauthenticated, "Signature: must be there, of an actor's key"));
    return then(exchange);
  }
  if (!services.signature_checker)
    return exchange.refuse(make_error(errc::unavailable, "signatures are not checked"));
  auto question = check_signature{.request = std::make_shared<const http_request>(request.http),
                                  .has_body = false};
  gateway.self
      ->request(services.signature_checker, services.options.signature_deadline,
                std::move(question))
      .then(
          [exchange, then](const verified_signer& signer) mutable {
            exchange.reader = {.actor = signer.actor, .host = signer.host.name};
            then(exchange);
          },
          [exchange, then](const caf::error& failure) { doubted(exchange, failure, then); });
}

} // namespace trunkline
