/// The network of a virtual world: names, and who answers requests there.
///
/// Whatever comes of a request is told in the world's turn, never within `send`.
#pragma once

#include "engine/node_sender.hpp"
#include "net/http_exchange.hpp"
#include "net/http_types.hpp"
#include "trunkline/testing.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace trunkline {

class inner_world;
struct remote_url;

/// One name in the network.
struct network_place {
  http_handler handler;
  std::function<testing::mood()> mood; ///< Empty: it answers.
  std::function<void()> on_request;    ///< Called for each request that has reached it; may be
                                       ///< empty.
};

class world_network {
public:
  explicit world_network(inner_world& world) : world_{world} {}

  /// The engine at `host`. One name, one engine: the last one that came.
  void attach(const std::string& host, http_handler handler);
  void detach(const std::string& host);

  /// A remote server at `host`, for as long as the world lasts. An engine of that name comes first.
  void place(const std::string& host, network_place one);

  /// For the requests of the node at `own_host`, which never asks itself.
  std::shared_ptr<node_sender> sender(const std::string& own_host);

  /// Sends a request from `from` ("b.example"). `done` is called once, in its turn.
  void send(const std::string& from, outgoing_request request, exchange_handler done);

  /// Calls `turn` in a turn of the world.
  void later(std::function<void()> turn);

private:
  struct exchange;

  void arrive(const std::string& from, const outgoing_request& request,
              const std::shared_ptr<exchange>& under_way);
  void meet(const network_place& one, http_request request,
            const std::shared_ptr<exchange>& under_way);
  void hand_over(const network_place& one, http_request request,
                 const std::shared_ptr<exchange>& under_way);
  void time_out_later(const std::shared_ptr<exchange>& under_way);
  const network_place* find(const std::string& host) const;

  inner_world& world_;
  std::map<std::string, network_place, std::less<>> engines_;
  std::map<std::string, network_place, std::less<>> servers_;
};

} // namespace trunkline
