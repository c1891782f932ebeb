#include "engine/standby.hpp"

#include "api/problem.hpp"
#include "protocol/errc.hpp"

#include <unistd.h>

#include <memory>
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

/// The node that serves is asked, but for what is each node's own and what the own user must learn
/// when nobody answers.
void answer_operator(const standby_view& view, http_request request, const http_reply& reply) {
  if (request.path == "/livez")
    return reply(text_answer(200, "ok\n"));
  if (request.path == "/startupz")
    return reply(view.is_member() ? text_answer(200, "ok\n") : text_answer(503, "joining\n"));
  if (request.path == "/readyz")
    return reply(readiness(view));
  if (request.path == "/metrics") { // another node's would be counted twice
    if (!view.answer_itself(request, reply))
      reply(problem(503, errc::unavailable, words_of(view) + "; it has no figures yet"));
    return;
  }
  // Who this user is means nothing on another machine: what he may is said by who looked.
  request.over_unix_socket = is_own_operator(request);
  if (request.over_unix_socket && request.path == "/admin/v1/cluster")
    return reply({.status = 200, .body = to_json(view.cluster())});
  if (request.over_unix_socket && request.path == "/admin/v1/nodes")
    return reply({.status = 200, .body = to_json(view.nodes())});
  view.forward(link_topic::admin, request, reply);
}

} // namespace

node_answerers answer_standing_by(standby_view view) {
  const auto shared = std::make_shared<const standby_view>(std::move(view));
  return {.web =
              [shared](const http_request& request, const http_reply& reply) {
                shared->forward(link_topic::web, request, reply);
              },
          .admin =
              [shared](http_request request, const http_reply& reply) {
                answer_operator(*shared, std::move(request), reply);
              }};
}

} // namespace trunkline
