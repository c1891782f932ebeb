/// How the admin APIs of a cluster's nodes work together, over the links: what each tells the
/// others of its hosts, and what it lets another one answer.
///
/// Made once per node, when its actors are there. The function values that it gives hold what they
/// need; any thread may call them, and they do not block.
#pragma once

#include "actors/delivery_budget.hpp"
#include "actors/dispatcher_messages.hpp"
#include "actors/host_board.hpp"
#include "actors/link_messages.hpp"
#include "actors/watchdog.hpp"
#include "api/peer_boards.hpp"
#include "net/http_types.hpp"

#include <caf/actor_system.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

struct peer_admin_parts {
  std::string own_name;      ///< `cluster.node`
  caf::actor_system& system; ///< Lives longer than every use of this.
  std::function<void(const std::string& node, ask_peer)> ask; ///< As `cluster_links::ask`.
  /// Names of the other nodes to which hosts belong, those that are away included.
  std::function<std::vector<std::string>()> others;
  /// The name of the node to which a host belongs, this one's included.
  std::function<std::string(const host_address&)> node_of;
  std::shared_ptr<const host_board> board;         ///< Not null.
  std::shared_ptr<const delivery_budget> budget;   ///< Null: there are no readings.
  dispatcher_handle dispatcher;                    ///< Null: its books are not told.
  std::function<std::vector<stuck_actor>()> stuck; ///< Null: there is no watchdog.
  http_handler admin;        ///< The node's own admin API; null: it answers nothing for others.
  std::uint32_t own_uid = 0; ///< Whom the node that looked at its socket has let in.
};

class peer_admin {
public:
  explicit peer_admin(peer_admin_parts parts);

  /// For `admin_services` of the node that serves.
  peer_boards boards() const;
  host_owners owners() const;

  /// Answers what a peer asks of this node: `link_topic::board` and `link_topic::admin_here`.
  /// Returns false, and has done nothing, for another topic. Nothing is passed on from here.
  bool serve(link_topic topic, const std::string& body, const peer_reply& reply) const;

private:
  std::shared_ptr<const peer_admin_parts> parts_;
};

} // namespace trunkline
