/// What the tests of the HTTP client share: a client with small limits, and a blocking call.
#pragma once

#include "net/http_client.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <string>

namespace trunkline::kit {

/// May dial 127.0.0.1 to .9 and .64 to .95, not the trap 127.0.0.99; limits of 5 s and more.
inline http_client_options client_options() {
  return {.allow_http = true, .allowed_addresses = {"127.0.0.0/29", "127.0.0.64/27"}};
}

inline std::unique_ptr<http_client> start_client(http_client_options options = client_options()) {
  auto client = http_client::start(std::move(options));
  REQUIRE(client);
  return std::move(*client);
}

inline std::future<exchange_outcome> begin_exchange(http_client& client, outgoing_request request) {
  const auto promise = std::make_shared<std::promise<exchange_outcome>>();
  client.send(std::move(request),
              [promise](exchange_outcome outcome) { promise->set_value(std::move(outcome)); });
  return promise->get_future();
}

inline exchange_outcome fetch(http_client& client, outgoing_request request) {
  return begin_exchange(client, std::move(request)).get();
}

inline exchange_outcome get(http_client& client, const std::string& url) {
  return fetch(client, {.url = url});
}

inline exchange_outcome post(http_client& client, const std::string& url, std::string body) {
  return fetch(client, {.method = http_method::post,
                        .url = url,
                        .body = std::make_shared<const std::string>(std::move(body))});
}

/// Returns "200", or the phase of the failure, with "!" when it timed out.
inline std::string result_of(const exchange_outcome& outcome) {
  if (const auto* response = outcome.response())
    return std::to_string(response->status);
  UNSCOPED_INFO(outcome.failure()->reason);
  return std::string{to_string(outcome.failure()->phase)} +
         (outcome.failure()->timed_out ? "!" : "");
}

} // namespace trunkline::kit
