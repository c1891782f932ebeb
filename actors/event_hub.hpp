/// The event hub: tells hooks and webhooks what happens, without anybody waiting for them.
///
/// The fan-out tells it of every row of the log; an actor, the event renderer, reads what the rows
/// do not hold, one batch after the other, and passes the events on, in order. At most `rows_max`
/// rows wait: while reading falls behind, newer ones are dropped, and subscribers are told so. What
/// hosts say is passed on at once. Without the renderer rows wait. Any thread.
#pragma once

#include "actors/log_cache.hpp"
#include "actors/queries_events.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"

#include <caf/atom.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace trunkline {

/// The message says that rows wait.
using event_renderer_handle = caf::typed_actor<caf::reacts_to<caf::tick_atom>>;

/// Somebody who wants events. No function may block or throw.
struct event_subscriber {
  bool wants_rows = false; ///< Activities, posts and accounts.
  bool wants_deliveries = false;
  bool wants_host_states = false;
  /// Those of the log come one at a time, in order; those of hosts beside them, from any thread.
  std::function<void(const engine_event&)> tell;
  /// A row whose events are lost, for want of room or because it cannot be read. Called with the
  /// hub's lock: it must not call the hub. May be empty.
  std::function<void(const log_entry&)> dropped;
};

class event_hub final : public log_cache {
public:
  static constexpr std::size_t rows_max = 65'536; ///< That wait to be rendered.

  explicit event_hub(std::size_t most = rows_max) : rows_max_{most} {}

  /// Before anything is told.
  void subscribe(event_subscriber one);

  bool wants_rows() const;
  bool wants_deliveries() const;
  bool wants_host_states() const;

  void apply(const log_entry& row) override;

  /// Passes on what a host says.
  void tell(const engine_event& event) const;

  std::size_t waiting() const;
  std::uint64_t dropped() const;

  /// Lets `by` render, from what waits on.
  void begin(event_renderer_handle by);

  /// Forgets the renderer and what waits; nothing is kept from now on.
  void end();

  // INTERNAL: for the renderer
  std::vector<log_entry> take(std::size_t most);
  void pass_on(const std::vector<engine_event>& events) const;
  void drop(const std::vector<log_entry>& rows);

private:
  void drop(const log_entry& row) const;

  const std::size_t rows_max_;
  std::vector<event_subscriber> subscribers_;
  mutable std::mutex mutex_; ///< Guards what follows.
  std::deque<log_entry> waiting_;
  event_renderer_handle renderer_;
  bool woken_ = false; ///< The renderer knows that rows wait.
  bool ended_ = false;
  std::uint64_t dropped_ = 0;
};

struct event_renderer_options {
  std::size_t rows_max = event_rows_max; ///< Of one batch.
  std::chrono::milliseconds retry_wait{1'000};
};

struct event_renderer_dependencies {
  storage_handles storage;
  std::shared_ptr<event_hub> hub; ///< Not null.
  url_space urls;
};

class event_renderer_state {
public:
  explicit event_renderer_state(event_renderer_handle::pointer self) : self_{self} {}

  event_renderer_handle::behavior_type make_behavior(event_renderer_dependencies dependencies,
                                                     event_renderer_options options);

private:
  void render_next();
  void take(const caf::expected<std::vector<engine_event>>& read);

  event_renderer_handle::pointer self_;
  event_renderer_dependencies has_;
  event_renderer_options options_;
  std::vector<log_entry> rows_; ///< The batch at work; its events have not been passed on.
  bool asking_ = false;
};

/// While storage is away the batch is asked for again; what cannot be read is dropped.
event_renderer_handle::behavior_type
event_renderer(watched_pointer<event_renderer_handle, event_renderer_state> self,
               event_renderer_dependencies dependencies, event_renderer_options options);

} // namespace trunkline
