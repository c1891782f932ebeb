/// The listeners of a node while another one serves: they pass on what they are asked, and answer
/// by themselves what tells how the node is.
///
/// Any thread.
#pragma once

#include "actors/link_records.hpp"
#include "engine/settings.hpp"
#include "net/http_server.hpp"
#include "protocol/json.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace trunkline {

/// What a node that stands by knows and does. Called on the servers' threads; must not block.
struct standby_view {
  std::function<std::string()> why;       ///< "n1 serves".
  std::function<std::string()> why_alone; ///< Why nothing can be passed on; "" when it can.
  std::function<json_object()> cluster;   ///< What GET /admin/v1/cluster shows.
  std::function<json_object()> nodes;     ///< What GET /admin/v1/nodes shows.
  std::function<bool()> is_member;        ///< The node has joined.
  /// Lets the node that serves answer.
  std::function<void(link_topic, const http_request&, const http_reply&)> forward;
};

class standby_servers {
public:
  /// Listens where the node will, when it serves. Fails as `http_server::start` does.
  static caf::expected<std::unique_ptr<standby_servers>> start(const node_config& config,
                                                               standby_view view);

  /// Accepts nothing more, and waits until what was passed on is answered, for at most `limit`.
  void drain(std::chrono::milliseconds limit);

  /// Closes every listener and connection, so that the ports are free.
  ~standby_servers();

private:
  standby_servers() = default;

  std::unique_ptr<http_server> web_;
  std::unique_ptr<http_server> admin_;
};

} // namespace trunkline
