/// What the builder of an engine was given, before it becomes part of a node.
///
/// Immutable once the node is made; shared by every engine that the same builder starts.
#pragma once

#include "trunkline/events.hpp"
#include "trunkline/filter.hpp"
#include "trunkline/observing.hpp"
#include "trunkline/result.hpp"
#include "trunkline/store.hpp"
#include "trunkline/transport.hpp"
#include "trunkline/web.hpp"
#include "trunkline/webhook.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace trunkline {

struct filter_seat {
  std::shared_ptr<content_filter> filter;
  filter_options options;
};

/// Of one hook; exactly one function is set, by the kind of its events.
struct hook_seat {
  using function = std::variant<
      std::function<void(const activity_event&)>, std::function<void(const post_event&)>,
      std::function<void(const delivery_event&)>, std::function<void(const host_state_event&)>,
      std::function<void(const account_event&)>>;
  function call;
  std::string activity_type; ///< Of activities: only these; "": all.
  hook_options options;
};

struct route_seat {
  std::string method;
  std::string pattern;
  route_handler_function handler;
  route_options options;
};

struct node_extensions {
  std::optional<store> storage;
  std::vector<filter_seat> filters;
  std::vector<hook_seat> hooks;
  std::vector<webhook> webhooks;
  std::vector<route_seat> routes;
  std::function<std::chrono::system_clock::time_point()> clock;
  std::shared_ptr<http_transport> transport;
  log_sink log;
  std::function<std::string()> metrics;
  std::function<void(const failure&)> on_lost;
  std::optional<failure> problem; ///< The first argument that was wrong.
};

} // namespace trunkline
