#include "engine/node_state.hpp"

#include "engine/forwarding.hpp"
#include "protocol/errc.hpp"

#include <optional>
#include <utility>

namespace trunkline {

using namespace std::chrono_literals;

/// A node that stands by lets who serves answer.
void node::state::forward(link_topic topic, const http_request& request, const http_reply& reply) {
  const auto serving = serving_node();
  if (!links || serving.empty() || serving == config.cluster.node)
    return reply(unanswered(topic, make_error(errc::unavailable, why_standing_by())));
  links->ask(serving, forwarded(topic, request, reply));
}

bool node::state::answer_itself(const http_request& request, const http_reply& reply) {
  if (!works)
    return false;
  servers->handle_admin(request, reply);
  return true;
}

/// What another node asks for. Nothing is passed on twice.
void node::state::serve(link_topic topic, const std::string& body, const peer_reply& reply) {
  switch (topic) {
  case link_topic::web:
  case link_topic::admin:
    return serve_request(topic, body, reply);
  case link_topic::fetch:
  case link_topic::sign_of_life:
  case link_topic::log_news:
    if (!works)
      return reply(make_error(errc::unavailable, config.cluster.node + " starts, or ends"));
    return federation->serve(topic, body, reply);
  case link_topic::shard_news:
    if (lease)
      lease->look();
    return reply(std::string{});
  default:
    if (!works || !peers->serve(topic, body, reply))
      reply(make_error(errc::unavailable, "asked for what this version does not know"));
  }
}

/// What a node that stands by has passed on.
void node::state::serve_request(link_topic topic, const std::string& body,
                                const peer_reply& reply) {
  auto request = decode_request(body);
  if (!request)
    return reply(request.error());
  auto* servers_now = serving();
  if (!servers_now)
    return reply(make_error(errc::unavailable, config.cluster.node + " does not serve"));
  if (topic == link_topic::web)
    return servers_now->handle(std::move(*request), nullptr, answering(reply));
  if (request->over_unix_socket)
    request->peer_uid = admin.own_uid;
  servers_now->handle_admin(std::move(*request), answering(reply));
}

/// Lets the others look where shards are, a moment before they would.
void node::state::tell_shard_news() {
  for (const auto& node : links->others())
    links->ask(node, {.topic = link_topic::shard_news,
                      .body = {},
                      .limit = 1s,
                      .reply = peer_reply{[](const caf::expected<std::string>&) {}}});
  lease->look();
}

/// What the actors need of the cluster; nothing where there is none.
std::optional<cluster_wires> node::state::wires() {
  if (!links)
    return std::nullopt;
  const auto now = lease->status();
  return cluster_wires{.own_name = config.cluster.node,
                       .node = {.node = now.id, .incarnation = works_as},
                       .others = [this] { return links->others(); },
                       .ask = [this](const std::string& node,
                                     ask_peer question) { links->ask(node, std::move(question)); },
                       .on_moved = [this] { tell_shard_news(); }};
}

/// The admin APIs of all nodes show and order the hosts of all of them.
void node::state::join_admin() {
  peers = std::make_unique<peer_admin>(peer_admin_parts{
      .own_name = config.cluster.node,
      .system = actors->system(),
      .ask = [this](const std::string& node,
                    ask_peer question) { links->ask(node, std::move(question)); },
      .others =
          [this] {
            auto names = federation->routes->all();
            std::erase(names, config.cluster.node);
            return names;
          },
      .node_of = [this](const host_address& host) { return federation->routes->node_of(host); },
      .board = actors->memory.board,
      .budget = federation->budget,
      .dispatcher = actors->dispatcher,
      .stuck = [this] { return actors->stuck(); },
      .admin =
          [this](http_request request, http_reply reply) {
            servers->handle_admin(std::move(request), std::move(reply));
          },
      .own_uid = admin.own_uid});
  admin.boards = peers->boards();
  admin.owners = peers->owners();
}

} // namespace trunkline
