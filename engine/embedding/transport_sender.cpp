#include "engine/embedding/transport_sender.hpp"

#include "protocol/host_address.hpp"

#include <functional>
#include <utility>
#include <variant>

namespace trunkline {

namespace {

exchange_phase phase_of(transport_phase phase) {
  switch (phase) {
  case transport_phase::refused:
    return exchange_phase::refused;
  case transport_phase::name:
    return exchange_phase::name;
  case transport_phase::connect:
    return exchange_phase::connect;
  case transport_phase::tls:
    return exchange_phase::tls;
  case transport_phase::write:
    return exchange_phase::write;
  case transport_phase::first_byte:
    return exchange_phase::first_byte;
  case transport_phase::body:
    return exchange_phase::body;
  }
  return exchange_phase::connect;
}

transport_request request_of(outgoing_request request) {
  return {.method = std::string{to_string(request.method)},
          .url = std::move(request.url),
          .headers = std::move(request.headers),
          .body = request.body ? *request.body : "",
          .response_bytes_max = request.response_bytes_max};
}

exchange_outcome outcome_of(transport_answer answer, std::size_t bytes_max) {
  if (auto* failed = std::get_if<transport_failure>(&answer))
    return {.result = exchange_failure{.phase = phase_of(failed->phase),
                                       .timed_out = failed->timed_out,
                                       .reason = std::move(failed->reason)},
            .timing = {}};
  auto& response = *std::get_if<web_response>(&answer);
  if (response.status < 200 || response.status > 599)
    return exchange_failed(exchange_phase::body, "the answer has no status");
  if (response.body.size() > bytes_max)
    return exchange_failed(exchange_phase::body, "the answer is too large");
  if (!response.content_type.empty())
    response.headers.emplace_back("Content-Type", std::move(response.content_type));
  return {.result = incoming_response{.status = response.status,
                                      .headers = std::move(response.headers),
                                      .body = std::move(response.body)},
          .timing = {}};
}

bool goes_to(const std::string& url, const std::string& host) {
  const auto read = parse_remote_url(url, {.allow_http = true});
  return read && to_name(read->host) == host;
}

} // namespace

http_transport::~http_transport() = default;

transport_sender::transport_sender(std::shared_ptr<http_transport> transport, std::string own_host,
                                   std::shared_ptr<virtual_world> world)
    : transport_{std::move(transport)}, own_host_{std::move(own_host)}, world_{std::move(world)} {}

void transport_sender::send(outgoing_request request, exchange_handler done) {
  const auto number = open_->begin(std::move(done), request.id);
  if (number == 0)
    return;
  auto end = std::function<void(exchange_outcome)>{
      [open = open_, number](exchange_outcome outcome) { open->end(number, std::move(outcome)); }};
  if (world_)
    end = [world = world_, end](exchange_outcome outcome) {
      world->later([end, outcome = std::move(outcome)] { end(outcome); });
    };
  if (goes_to(request.url, own_host_))
    return end(exchange_failed(exchange_phase::refused, "this server never asks itself"));
  const auto bytes_max = request.response_bytes_max;
  try {
    transport_->send(request_of(std::move(request)), [end, bytes_max](transport_answer answer) {
      end(outcome_of(std::move(answer), bytes_max));
    });
  } catch (...) { // whatever an embedder throws ends here
    end(exchange_failed(exchange_phase::refused, "the transport threw an exception"));
  }
}

void transport_sender::cancel(std::uint64_t id) {
  if (world_)
    return world_->later([open = open_, id] { open->cancel(id); });
  open_->cancel(id);
}

} // namespace trunkline
