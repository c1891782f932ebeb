#include "trunkline/builder.hpp"
#include "trunkline/testing.hpp"

#include "engine/testing/inner_world.hpp"
#include "engine/testing/world_server.hpp"

#include <map>
#include <utility>

namespace trunkline {

inline namespace v0 {
namespace testing {

// Accounts

struct peer_account::state {
  world_server& server;
  const std::shared_ptr<world_account> account;

  int send(const json_value& activity, std::string_view address) {
    return activity.is_null() ? 0 : server.send(account, to_json(activity), address);
  }
};

std::string peer_account::uri() const {
  return state_->account->uri();
}

std::string peer_account::address() const {
  return state_->account->address();
}

int peer_account::follow(std::string_view address) {
  const auto followed = state_->server.look_up(state_->account, address);
  return followed.empty() ? 0 : state_->send(state_->account->follow(followed), address);
}

int peer_account::unfollow(std::string_view address) {
  const auto followed = state_->server.look_up(state_->account, address);
  return state_->send(state_->account->unfollow(followed), address);
}

int peer_account::post(std::string_view html, std::string_view address) {
  const auto named = state_->server.look_up(state_->account, address);
  return state_->send(
      state_->account->publish(html, state_->server.now(), named, "@" + std::string{address}),
      address);
}

int peer_account::edit_last(std::string_view html, std::string_view address) {
  return state_->send(state_->account->edit_last(html, state_->server.now()), address);
}

int peer_account::delete_last(std::string_view address) {
  return state_->send(state_->account->delete_last(), address);
}

std::string peer_account::last_post() const {
  return state_->account->last_note();
}

int peer_account::send(std::string_view json, std::string_view address) {
  return state_->server.send(state_->account, std::string{json}, address);
}

// Servers

struct remote_server::state {
  state(inner_world& world, std::string host) : inside{world, std::move(host)} {}

  world_server inside;
};

remote_server::remote_server(std::unique_ptr<state> inside) : state_{std::move(inside)} {}
remote_server::~remote_server() = default;

peer_account remote_server::actor(std::string_view name) {
  return peer_account{std::make_shared<peer_account::state>(
      peer_account::state{state_->inside, state_->inside.account(name)})};
}

void remote_server::behave(mood how) {
  state_->inside.mood = how;
}

void remote_server::answer(std::function<web_response(const web_request&)> call) {
  state_->inside.own_answer = std::move(call);
}

const std::vector<received_activity>& remote_server::received() const {
  return state_->inside.received;
}

std::uint64_t remote_server::requests() const {
  return state_->inside.requests;
}

// The world

struct world::state {
  explicit state(std::uint64_t seed) : inside{std::make_shared<inner_world>(seed)} {}
  ~state() { inside->close(); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  const std::shared_ptr<inner_world> inside;
  std::map<std::string, std::unique_ptr<remote_server>, std::less<>> servers;
};

world::world(std::uint64_t seed) : state_{std::make_unique<state>(seed)} {
  inside_ = state_->inside;
}

world::~world() = default;

result<engine> world::start(engine::builder parts) {
  auto started = parts.start_in(inside_);
  if (!started)
    return started;
  auto ready = started->wait_ready(std::chrono::milliseconds{0});
  if (!ready)
    return ready.error();
  return started;
}

remote_server& world::server(std::string_view host) {
  auto& known = state_->servers[std::string{host}];
  if (!known)
    known = std::make_unique<remote_server>(
        std::make_unique<remote_server::state>(*state_->inside, std::string{host}));
  return *known;
}

bool world::settle() {
  return state_->inside->settle();
}

void world::advance(std::chrono::milliseconds span) {
  state_->inside->advance(span);
}

std::chrono::system_clock::time_point world::now() const {
  return state_->inside->now();
}

} // namespace testing
} // namespace v0
} // namespace trunkline
