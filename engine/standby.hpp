/// What a node that stands by answers: it passes on what it is asked, and tells by itself how it
/// is.
///
/// Any thread.
#pragma once

#include "actors/link_records.hpp"
#include "engine/node_listeners.hpp"
#include "net/http_types.hpp"
#include "protocol/json.hpp"

#include <functional>
#include <string>

namespace trunkline {

/// What a node that stands by knows and does. Called on the servers' threads; must not block.
struct standby_view {
  std::function<std::string()> why;       ///< "n1 serves".
  std::function<std::string()> why_alone; ///< Why nothing can be passed on; "" when it can.
  std::function<json_object()> cluster;   ///< What GET /admin/v1/cluster shows.
  std::function<json_object()> nodes;     ///< What GET /admin/v1/nodes shows.
  /// Answers by the node's own admin API; false: there is none yet.
  std::function<bool(const http_request&, const http_reply&)> answer_itself;
  std::function<bool()> is_member; ///< The node has joined.
  /// Lets the node that serves answer.
  std::function<void(link_topic, const http_request&, const http_reply&)> forward;
};

node_answerers answer_standing_by(standby_view view);

} // namespace trunkline
