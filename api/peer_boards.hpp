/// The other nodes of the cluster, as the admin API of the node that serves needs them: what is on
/// their boards of hosts, and which of them must answer what is about one host.
#pragma once

#include "actors/board_records.hpp"
#include "api/gateway.hpp"
#include "net/http_types.hpp"
#include "protocol/host_address.hpp"
#include "protocol/json.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

/// How long an answer about all nodes waits for those that do not answer, all rounds together.
inline constexpr auto peers_deadline = std::chrono::seconds{1};

/// Made by the engine; without its functions the node is alone. Any thread may call them; they do
/// not block.
struct peer_boards {
  using answered = std::function<void(caf::expected<board_answer>)>;

  /// Names of the other nodes to which hosts belong, those that are away included.
  std::function<std::vector<std::string>()> others;
  /// Asks the node of that name. Calls back once, on any thread, at `limit` from now or soon after
  /// at the latest.
  std::function<void(const std::string& node, board_question, std::chrono::milliseconds limit,
                     answered)>
      ask;
};

/// Likewise: which node a host belongs to.
struct host_owners {
  /// The name of the node that delivers to the host; "" when that is this one.
  std::function<std::string(const host_address&)> node_of;
  /// Lets that node answer the whole request.
  std::function<void(const std::string& node, const http_request&, http_reply)> pass_on;
};

/// Who is asked for one answer of the admin API, in one round of questions or in several.
struct peers_asked {
  std::vector<std::string> nodes;   ///< That have answered everything so far.
  std::vector<std::string> missing; ///< In order of their names.
};
using peers_asked_ptr = std::shared_ptr<peers_asked>;

/// Begins with all others.
peers_asked_ptr all_peers(const api_services& services);

/// What the nodes have answered, by their names.
using peer_answers = std::map<std::string, board_answer>;

/// Asks all `nodes` at once. Calls `then` in the gateway, once: when all have answered, or after
/// `limit`; at once when there is nobody to ask. Who has not answered, or not to what it was asked,
/// is among the missing from then on and costs no later round any time.
void ask_peers(gateway_state& gateway, const peers_asked_ptr& peers, const board_question& question,
               std::chrono::milliseconds limit, std::function<void(peer_answers)> then);

/// Adds `as_of`, `complete` and `missing_nodes` to an answer about all nodes.
void add_completeness(json_object& shown, const peers_asked& peers, time_point now,
                      bool is_all = true);

} // namespace trunkline
