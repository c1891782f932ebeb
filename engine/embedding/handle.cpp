// HTTP in process: a request of the embedder's goes the way of one that came over a socket.

#include "engine/embedding/awaited.hpp"
#include "engine/embedding/engine_state.hpp"
#include "net/request_check.hpp"

#include <utility>

namespace trunkline {

namespace {

request_limits limits_of(const node_config& config) {
  auto limits = request_limits{};
  limits.head.header_bytes_max = static_cast<std::size_t>(config.server.header_bytes_max);
  limits.body_bytes_max = static_cast<std::size_t>(config.server.body_bytes_max);
  return limits;
}

web_response web_of(http_response answer, bool is_head) {
  return {.status = answer.status,
          .content_type = std::move(answer.content_type),
          .body = is_head ? "" : std::move(answer.body),
          .headers = std::move(answer.headers)};
}

/// An exception of the embedder's ends here: the threads of the engine go on.
http_reply reply_to(std::function<void(web_response)> tell, bool is_head) {
  return http_reply{[tell = std::move(tell), is_head](http_response answer) {
    try {
      if (tell)
        tell(web_of(std::move(answer), is_head));
    } catch (...) {
    }
  }};
}

} // namespace

void engine::handle(web_request request, std::function<void(web_response)> reply) {
  auto taken = http_request{};
  taken.peer = std::move(request.peer);
  const auto promise = reply_to(std::move(reply), request.method == "HEAD");
  const auto fault = take_request({.method = std::move(request.method),
                                   .target = std::move(request.target),
                                   .headers = std::move(request.headers),
                                   .body = std::move(request.body)},
                                  limits_of(state_->inside.config()), taken);
  if (fault)
    return promise(answer_of(*fault));
  state_->inside.handle(std::move(taken), nullptr, promise);
}

web_response engine::handle(web_request request) {
  const auto answer = std::make_shared<awaited<web_response>>();
  handle(std::move(request),
         [answer](web_response response) { answer->give(std::move(response)); });
  if (auto given = answer->take(state_->inside.world(), call_limit))
    return std::move(*given);
  return {.status = 503, .body = R"({"error":"The request took too long"})"};
}

} // namespace trunkline
