#include "engine/forwarding.hpp"

#include "api/problem.hpp"
#include "protocol/errc.hpp"
#include "protocol/json.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace trunkline {

namespace {

/// Past every limit that the node that serves has for a request.
constexpr auto forwarding_limit = std::chrono::seconds{30};

/// Whoever serves soon should be asked again soon.
constexpr auto retry_after_seconds = "1";

/// What a client is told: what was not asked was not done, and of everything else nobody knows.
std::pair<int, std::string> told(const caf::error& why) {
  switch (code_of(why)) {
  case errc::unavailable:
    return {503, "This node stands by: " + context_of(why)};
  case errc::too_large:
    return {413, "This node stands by, and passes on no more than 8 MiB"};
  default:
    return {504, "Whether this was done is not known: " + context_of(why)};
  }
}

http_response answer_of(link_topic topic, const caf::expected<std::string>& given) {
  if (!given)
    return unanswered(topic, given.error());
  auto response = decode_response(*given);
  return response ? std::move(*response) : unanswered(topic, response.error());
}

} // namespace

ask_peer forwarded(link_topic topic, const http_request& request, const http_reply& reply) {
  return {.topic = topic,
          .body = encode(request),
          .limit = forwarding_limit,
          .reply = peer_reply{[topic, reply](const caf::expected<std::string>& given) {
            reply(answer_of(topic, given));
          }}};
}

http_response unanswered(link_topic topic, const caf::error& why) {
  const auto [status, words] = told(why);
  if (topic == link_topic::admin)
    return problem(status, code_of(why), words);
  auto response = http_response{.status = status, .body = to_json(json_object{{"error", words}})};
  if (status == 503)
    response.headers.emplace_back("Retry-After", retry_after_seconds);
  return response;
}

http_reply answering(const peer_reply& reply) {
  return http_reply{[reply](const http_response& response) { reply(encode(response)); }};
}

} // namespace trunkline
