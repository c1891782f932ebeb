/// The listeners of a node while another one serves: everything is refused, but what tells how the
/// node is.
///
/// Any thread.
#pragma once

#include "engine/settings.hpp"
#include "net/http_server.hpp"
#include "protocol/json.hpp"

#include <caf/expected.hpp>

#include <functional>
#include <memory>
#include <string>

namespace trunkline {

/// What is told while a node stands by. Called on the servers' threads; must not block.
struct standby_view {
  std::function<std::string()> why;     ///< "n1 serves".
  std::function<json_object()> cluster; ///< What GET /admin/v1/cluster shows.
  std::function<json_object()> nodes;   ///< What GET /admin/v1/nodes shows.
};

class standby_servers {
public:
  /// Listens where the node will, when it serves. Fails as `http_server::start` does.
  static caf::expected<std::unique_ptr<standby_servers>> start(const node_config& config,
                                                               standby_view view);

  /// Closes every listener and connection, so that the ports are free.
  ~standby_servers();

private:
  standby_servers() = default;

  std::unique_ptr<http_server> web_;
  std::unique_ptr<http_server> admin_;
};

} // namespace trunkline
