#include "engine/standby.hpp"

#include "api/problem.hpp"
#include "engine/listeners.hpp"
#include "protocol/errc.hpp"

#include <unistd.h>

#include <utility>

namespace trunkline {

namespace {

std::string words_of(const standby_view& view) {
  return "This node stands by: " + view.why();
}

http_response text_answer(int status, std::string text) {
  auto answer = http_response{.status = status, .body = std::move(text)};
  answer.content_type = "text/plain; charset=utf-8";
  return answer;
}

bool is_own_operator(const http_request& request) {
  return request.over_unix_socket && request.peer_uid == ::geteuid();
}

http_response readiness(const standby_view& view) {
  const auto problem = view.why_alone();
  if (problem.empty())
    return text_answer(200, "[+] link: " + view.why() + "\nready: stands by, and passes on\n");
  return text_answer(503, "[-] link: " + words_of(view) + ", and " + problem + "\nnot ready\n");
}

/// Tokens cannot be checked, for the database is another node's: it is asked, but for what the own
/// user must learn when nobody answers.
void answer_operator(const standby_view& view, http_request request, const http_reply& reply) {
  if (request.path == "/livez")
    return reply(text_answer(200, "ok\n"));
  if (request.path == "/startupz")
    return reply(view.is_member() ? text_answer(200, "ok\n") : text_answer(503, "joining\n"));
  if (request.path == "/readyz")
    return reply(readiness(view));
  // Who this user is means nothing on another machine: what he may is said by who looked.
  request.over_unix_socket = is_own_operator(request);
  if (request.over_unix_socket && request.path == "/admin/v1/cluster")
    return reply({.status = 200, .body = to_json(view.cluster())});
  if (request.over_unix_socket && request.path == "/admin/v1/nodes")
    return reply({.status = 200, .body = to_json(view.nodes())});
  if (request.path == "/metrics") // each node's own: another one's would be counted twice
    return reply(
        problem(503, errc::unavailable, words_of(view) + "; it has no figures of its own"));
  view.forward(link_topic::admin, request, reply);
}

} // namespace

caf::expected<std::unique_ptr<standby_servers>> standby_servers::start(const node_config& config,
                                                                       standby_view view) {
  auto made = std::unique_ptr<standby_servers>{new standby_servers};
  if (!config.admin.listen.empty() || !config.admin.socket.empty()) {
    auto admin = http_server::start(admin_options(config),
                                    [view](http_request request, const http_reply& reply) {
                                      answer_operator(view, std::move(request), reply);
                                    });
    if (!admin)
      return std::move(admin.error());
    made->admin_ = std::move(*admin);
  }
  if (!config.server.listen.empty()) {
    auto web = http_server::start(web_options(config),
                                  [view](const http_request& request, const http_reply& reply) {
                                    view.forward(link_topic::web, request, reply);
                                  });
    if (!web)
      return std::move(web.error());
    made->web_ = std::move(*web);
  }
  return made;
}

void standby_servers::drain(std::chrono::milliseconds limit) {
  if (!web_)
    return;
  web_->stop_accepting();
  web_->drain(limit);
}

standby_servers::~standby_servers() {
  if (web_)
    web_->stop();
  if (admin_)
    admin_->stop();
}

} // namespace trunkline
