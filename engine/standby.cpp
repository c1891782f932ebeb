#include "engine/standby.hpp"

#include "api/problem.hpp"
#include "engine/listeners.hpp"
#include "protocol/errc.hpp"

#include <unistd.h>

#include <utility>

namespace trunkline {

namespace {

/// Whoever may be told of another node soon should ask again soon.
constexpr auto retry_after_seconds = "1";

std::string words_of(const standby_view& view) {
  return "This node stands by: " + view.why();
}

http_response text_answer(int status, std::string text) {
  auto answer = http_response{.status = status, .body = std::move(text)};
  answer.content_type = "text/plain; charset=utf-8";
  return answer;
}

http_response refusal_to_clients(const standby_view& view) {
  return {.status = 503,
          .body = to_json(json_object{{"error", words_of(view)}}),
          .headers = {{"Retry-After", retry_after_seconds}}};
}

bool is_own_operator(const http_request& request) {
  return request.over_unix_socket && request.peer_uid == ::geteuid();
}

/// Tokens cannot be checked, for the database is another node's: only the own user sees the
/// cluster.
http_response answer_to_operators(const standby_view& view, const http_request& request) {
  if (request.path == "/livez")
    return text_answer(200, "ok\n");
  if (request.path == "/startupz")
    return text_answer(503, "standing by\n");
  if (request.path == "/readyz")
    return text_answer(503, "[-] lease: " + words_of(view) + "\nnot ready\n");
  if (request.path == "/admin/v1/cluster" && is_own_operator(request))
    return {.status = 200, .body = to_json(view.cluster())};
  if (request.path == "/admin/v1/nodes" && is_own_operator(request))
    return {.status = 200, .body = to_json(view.nodes())};
  return problem(make_error(errc::unavailable, words_of(view)));
}

} // namespace

caf::expected<std::unique_ptr<standby_servers>> standby_servers::start(const node_config& config,
                                                                       standby_view view) {
  auto made = std::unique_ptr<standby_servers>{new standby_servers};
  if (!config.admin.listen.empty() || !config.admin.socket.empty()) {
    auto admin = http_server::start(admin_options(config),
                                    [view](const http_request& request, const http_reply& reply) {
                                      reply(answer_to_operators(view, request));
                                    });
    if (!admin)
      return std::move(admin.error());
    made->admin_ = std::move(*admin);
  }
  if (!config.server.listen.empty()) {
    auto web = http_server::start(
        web_options(config),
        [view](const http_request&, const http_reply& reply) { reply(refusal_to_clients(view)); });
    if (!web)
      return std::move(web.error());
    made->web_ = std::move(*web);
  }
  return made;
}

standby_servers::~standby_servers() {
  if (web_)
    web_->stop();
  if (admin_)
    admin_->stop();
}

} // namespace trunkline
