#include "engine/embedding/own_routes.hpp"

#include "api/errors.hpp"
#include "engine/embedding/callback_worker.hpp"
#include "engine/embedding/web_values.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace trunkline {

/// Holds the promises of what is not answered, so that the end of the node can take them back: a
/// promise that an embedder keeps must not keep the node's actors.
struct own_routes::state {
  std::optional<std::uint64_t> keep(http_reply reply);
  void answer(std::uint64_t id, http_response response);
  std::unordered_map<std::uint64_t, http_reply> take_all();

  std::mutex mutex; ///< Guards what follows.
  bool ended = false;
  std::uint64_t newest = 0;
  std::unordered_map<std::uint64_t, http_reply> unanswered;

  std::unique_ptr<callback_worker> worker; ///< Set before the first request.
};

namespace {

http_response unavailable() {
  return client_error(make_error(errc::unavailable));
}

access access_of(route_access wanted) {
  switch (wanted) {
  case route_access::open:
    return access::open;
  case route_access::token:
    return access::token;
  case route_access::user:
    return access::user;
  }
  return access::user;
}

route_request request_of(const matched_request& matched) {
  return {.web = to_web(matched.http), .segments = matched.segments, .caller = to_web(matched.who)};
}

/// An exception answers 500, also when the handler has kept a copy of the promise.
void run(const route_handler_function& handler, route_request request, const web_reply& reply) {
  try {
    handler(std::move(request), reply);
  } catch (...) {
    reply({.status = 500, .body = R"({"error":"Internal server error"})"});
    throw; // counted by the worker
  }
}

} // namespace

/// Nothing when too many are kept already, or none may be any more.
std::optional<std::uint64_t> own_routes::state::keep(http_reply reply) {
  const auto held = std::scoped_lock{mutex};
  if (ended || unanswered.size() >= unanswered_max)
    return std::nullopt;
  unanswered.emplace(++newest, std::move(reply));
  return newest;
}

void own_routes::state::answer(std::uint64_t id, http_response response) {
  auto reply = http_reply{};
  {
    const auto held = std::scoped_lock{mutex};
    const auto found = unanswered.find(id);
    if (found == unanswered.end())
      return;
    reply = std::move(found->second);
    unanswered.erase(found);
  }
  reply(std::move(response));
}

std::unordered_map<std::uint64_t, http_reply> own_routes::state::take_all() {
  const auto held = std::scoped_lock{mutex};
  ended = true;
  return std::exchange(unanswered, {});
}

own_routes::own_routes(const std::vector<route_seat>& routes, std::shared_ptr<virtual_world> world)
    : state_{std::make_shared<state>()} {
  state_->worker = std::make_unique<callback_worker>(waiting_max, std::move(world));
  auto rows = std::vector<custom_route>{};
  for (const auto& seat : routes)
    rows.push_back({.method = *parse_own_method(seat.method),
                    .pattern = seat.pattern,
                    .who = access_of(seat.options.access),
                    .scope = seat.options.scope,
                    .body_bytes_max = seat.options.body_bytes_max,
                    .handler = serve(seat.handler)});
  table_ = std::make_shared<const custom_routes>(std::move(rows));
}

own_routes::~own_routes() {
  end(std::chrono::milliseconds{0});
}

/// What the gateway calls: it hands the request to the worker, or answers 503.
custom_handler own_routes::serve(route_handler_function handler) const {
  return [inside = state_, handler = std::move(handler)](const matched_request& matched,
                                                         const http_reply& reply) {
    const auto id = inside->keep(reply);
    if (!id)
      return reply(unavailable());
    auto answer = web_reply{[weak = std::weak_ptr{inside}, id = *id](web_response response) {
      if (const auto alive = weak.lock())
        alive->answer(id, from_web(std::move(response)));
    }};
    auto call = [handler, request = request_of(matched), answer] { run(handler, request, answer); };
    if (!inside->worker->post(std::move(call)))
      inside->answer(*id, unavailable());
  };
}

void own_routes::end(std::chrono::milliseconds limit) {
  state_->worker->stop(limit);
  for (const auto& [id, reply] : state_->take_all())
    reply(unavailable());
}

} // namespace trunkline
