#include "engine/node.hpp"

#include "engine/node_state.hpp"
#include "protocol/errc.hpp"

namespace trunkline {

namespace {

using namespace std::chrono_literals;

/// How often actors are looked at by who looks more often.
constexpr auto actors_look_interval = 1s;

} // namespace

node::node(std::shared_ptr<const node_options> options)
    : state_{std::make_unique<state>(std::move(options))} {
  if (state_->options->world)
    state_->run_start();
  else
    state_->starter = std::thread{[inside = state_.get()] { inside->run_start(); }};
}

node::~node() {
  stop();
}

caf::error node::wait_ready(std::chrono::milliseconds limit) {
  auto held = std::unique_lock{state_->mutex};
  if (!state_->changed.wait_for(held, limit, [&] { return state_->start_over; }))
    return make_error(errc::timed_out, "the node is not ready yet");
  return state_->failure;
}

bool node::is_starting() const {
  const auto held = std::scoped_lock{state_->mutex};
  return !state_->start_over;
}

std::string node::web_url() const {
  const auto held = std::scoped_lock{state_->mutex};
  const auto* servers = state_->serving_now();
  return servers ? servers->listeners().web_url() : "";
}

std::string node::admin_url() const {
  const auto held = std::scoped_lock{state_->mutex};
  const auto* servers = state_->serving_now();
  return servers ? servers->listeners().admin_url() : "";
}

bool node::drain(std::chrono::milliseconds limit) {
  state_->watch_by_thread();
  const auto one = std::scoped_lock{state_->ending};
  if (state_->starter.joinable())
    state_->starter.join();
  if (!state_->enter_drain())
    return true;
  state_->log.write(log_level::info, "node_draining");
  const auto done = state_->servers->drain(limit, state_->options->world);
  state_->log.write(done ? log_level::info : log_level::warning, "node_drained",
                    {{"complete", done}});
  return done;
}

void node::handle(http_request request, std::shared_ptr<const caller> who, http_reply reply) {
  if (auto* servers = state_->serving())
    return servers->handle(std::move(request), std::move(who), std::move(reply));
  reply({.status = 503, .body = R"({"error":"The engine is not ready"})"});
}

void node::handle_admin(http_request request, http_reply reply) {
  request.over_unix_socket = true;
  request.peer_uid = state_->admin.own_uid;
  if (auto* servers = state_->serving())
    return servers->handle_admin(std::move(request), std::move(reply));
  reply({.status = 503, .body = R"({"detail":"the engine is not ready"})"});
}

std::string node::metrics_text() const {
  return state_->serving() ? state_->admin.metrics() : "";
}

caf::error node::reload() {
  const auto one = std::scoped_lock{state_->ending};
  auto failed = state_->links ? state_->links->reload() : caf::error{};
  if (failed)
    state_->log.write(log_level::error, "reload_failed", {{"problem", context_of(failed)}});
  else
    state_->log.write(log_level::info, "reloaded");
  return failed;
}

caf::error node::lost() const {
  const auto held = std::scoped_lock{state_->mutex};
  return state_->lost;
}

void node::look() {
  state_->sessions.watch->look();
  const auto now = std::chrono::steady_clock::now();
  if (!state_->works || now - state_->looked_at < actors_look_interval)
    return;
  state_->looked_at = now;
  state_->actors->look();
}

const node_config& node::config() const {
  return state_->config;
}

node_embedding& node::embedding() {
  return *state_->embedding;
}

const std::shared_ptr<virtual_world>& node::world() const {
  return state_->options->world;
}

void node::watch_loss(std::function<void()> wake) {
  const auto held = std::scoped_lock{state_->mutex};
  state_->on_loss = std::move(wake);
  if (state_->lost && state_->on_loss)
    state_->on_loss();
}

/// Lets no listener be closed from now on but by the end, and waits for the one that is.
void node::state::end_closer() {
  auto begun = std::thread{};
  {
    const auto held = std::scoped_lock{mutex};
    ends = true;
    begun = std::move(closer);
  }
  if (begun.joinable())
    begun.join();
}

bool node::stop() {
  state_->end_closer();
  state_->watch_by_thread();
  const auto one = std::scoped_lock{state_->ending};
  if (state_->starter.joinable())
    state_->starter.join();
  if (state_->stopped)
    return !state_->actors;
  state_->stopped = true;
  state_->works = false;
  if (state_->options->world)
    state_->options->world->detach(state_->config.server.domain);
  if (state_->servers)
    state_->servers->stop();
  state_->embedding->end();
  const auto all_ended = !state_->actors || state_->actors->end();
  if (state_->lease) // what was done is written: another node may go on
    state_->lease->leave();
  if (state_->lease && state_->links)
    state_->tell_shard_news();
  state_->links.reset(); // peers ask the servers
  {
    const auto held = std::scoped_lock{state_->mutex};
    state_->phase = node_phase::stopped;
    state_->servers.reset();
  }
  if (all_ended) {
    state_->federation.reset();
    state_->actors.reset();
    state_->home.reset();
  }
  state_->lease.reset();
  state_->lock.reset();
  if (!state_->start_over || !state_->failure)
    state_->log.write(all_ended ? log_level::info : log_level::warning, "node_stopped",
                      {{"complete", all_ended}});
  state_->log.flush(last_words_limit);
  return all_ended;
}

} // namespace trunkline
