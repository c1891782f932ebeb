/// How an engine is put together: storage, filters, hooks, routes, and what it is given in place of
/// the system's clock, network and log. Included by `trunkline/engine.hpp`.
#pragma once

#include "trunkline/engine.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace trunkline {
struct node_extensions;

inline namespace v0 {

/// What an engine is made of, one call each. Wrong arguments (a pattern that is taken, a name that
/// is used twice) are kept, and `start` fails with the first of them. One that was moved from can
/// be destroyed and assigned to, nothing else.
class TRUNKLINE_API engine::builder {
public:
  explicit builder(options values);
  builder(const builder&);
  builder(builder&&) noexcept;
  builder& operator=(const builder&);
  builder& operator=(builder&&) noexcept;
  ~builder();

  /// In place of what the options say; without either `start` fails.
  builder& storage(store where);

  /// Adds a filter to the end of the chain, at most 64, each by a name of its own: those without
  /// one are "filter", "filter-2" and so on. The second form makes a `Filter` from `args`.
  builder& filter(std::shared_ptr<content_filter> one, filter_options options = {});
  template <class Filter, class... Args>
  builder& filter(Args&&... args) {
    return filter(std::make_shared<Filter>(std::forward<Args>(args)...), filter_options{});
  }

  /// Hooks. Each runs on a thread of its own for this engine, one call at a time, and may block or
  /// call the engine: meanwhile its events wait, and are dropped past `queue_max`. Nothing else
  /// waits for it. An exception is counted. At most 16 hooks of an engine.
  builder& on_activity(std::function<void(const activity_event&)> call, hook_options options = {});
  /// Those of one type: "Follow".
  builder& on_activity(std::string type, std::function<void(const activity_event&)> call,
                       hook_options options = {});
  builder& on_post(std::function<void(const post_event&)> call, hook_options options = {});
  builder& on_delivery(std::function<void(const delivery_event&)> call, hook_options options = {});
  builder& on_host_state(std::function<void(const host_state_event&)> call,
                         hook_options options = {});
  builder& on_account(std::function<void(const account_event&)> call, hook_options options = {});

  /// At most 16 of an engine.
  builder& webhook(trunkline::webhook one);

  /// Adds a route: `method` "GET", "POST", "PUT", "PATCH" or "DELETE", `pattern` "/hello/{}" where
  /// `{}` stands for one segment. Routes of the client API and of other servers win; a pattern that
  /// equals one of theirs is refused. At most 256.
  builder& route(std::string method, std::string pattern, route_handler_function handler,
                 route_options options = {});

  /// Tells the time of day, in place of the system's clock. Called from any thread; must not block.
  /// Timers go on by the steady clock: for virtual time see `trunkline::testing`.
  builder& clock(std::function<std::chrono::system_clock::time_point()> now);

  /// Sends requests to other servers, in place of the engine's own HTTP client.
  builder& transport(std::shared_ptr<http_transport> sender);

  /// Takes the log, in place of stderr.
  builder& log(log_sink sink);

  /// Adds what `text` returns (Prometheus' text format) to the node's /metrics. Called from any
  /// thread; must not block.
  builder& metrics(std::function<std::string()> text);

  /// Called once when the engine has failed for good, on a thread that is there for this alone.
  /// Such an engine closes its listeners and refuses everything (`engine::lost`); what was answered
  /// is kept.
  builder& on_lost(std::function<void(const failure&)> call);

  /// Begins to start the node and returns at once. Fails when what was given contradicts itself, or
  /// no thread can be started. The builder can be used again.
  result<engine> start();

  /// INTERNAL: for `trunkline::testing`.
  result<engine> start_in(std::shared_ptr<virtual_world> world);

private:
  std::shared_ptr<node_extensions> parts_;
  options values_;
};

} // namespace v0
} // namespace trunkline
