#include "api/admin_handlers.hpp"
#include "api/admin_services.hpp"

namespace trunkline {

void list_hooks(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto& hooks = gateway.services->admin->hooks;
  reply(admin_answer_of(200, {{"hooks", hooks ? hooks() : json_array{}},
                              {"as_of", to_iso8601(gateway.services->clock())}}));
}

} // namespace trunkline
