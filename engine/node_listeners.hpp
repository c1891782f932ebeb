/// The listeners of a node: open from when it first answers anybody until its end, whoever answers
/// behind them meanwhile.
///
/// Any thread, but `stop` is for none of the servers' own.
#pragma once

#include "engine/settings.hpp"
#include "net/http_server.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace trunkline {

/// Who answers; both are called on the servers' threads, and must not block.
struct node_answerers {
  http_handler web; ///< Clients and other servers.
  http_handler admin;
};

class node_listeners {
public:
  /// None are open.
  node_listeners();

  /// Opens those of operators first, so that a node can be watched while it starts. An empty
  /// address opens none. Fails as `http_server::start` does.
  static caf::expected<std::unique_ptr<node_listeners>> open(const node_config& config,
                                                             node_answerers first);

  /// Lets others answer from now on. Connections stay; requests under way stay with whom they are.
  void answer_by(node_answerers next);

  std::string web_url() const { return web_url_; }
  std::string admin_url() const { return admin_url_; }

  /// Clients and other servers alone: operators are answered to the end.
  void stop_accepting();
  bool drain(std::chrono::nanoseconds limit);

  /// Closes every listener and connection, so that the ports are free.
  void stop();

  http_server_counters web_counters() const;
  http_server_counters admin_counters() const;

private:
  class present_answerers;

  caf::error open_web(const node_config& config);
  caf::error open_admin(const node_config& config);

  const std::shared_ptr<present_answerers> answerers_;
  std::unique_ptr<http_server> web_;
  std::unique_ptr<http_server> admin_;
  std::string web_url_;
  std::string admin_url_;
};

} // namespace trunkline
