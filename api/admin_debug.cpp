#include "actors/debug_actor.hpp"
#include "api/admin_handlers.hpp"
#include "api/handling.hpp"

namespace trunkline {

namespace {

constexpr auto seconds_max = 30;

} // namespace

void block_debug_actor(gateway_state& gateway, const matched_request& request, http_reply reply) {
  auto reader = param_reader{request.params};
  const auto seconds = reader.number("seconds").value_or(0);
  if (seconds < 1 || seconds > seconds_max)
    reader.fail(make_error(errc::invalid, "seconds: must be 1 to 30"));
  if (reader.failure())
    return refuse(gateway, reply, reader.failure());
  gateway.self->spawn(debug_actor, std::chrono::seconds{seconds});
  reply(admin_answer_of(202, {}));
}

} // namespace trunkline
