#include "api/admin_handlers.hpp"
#include "api/admin_services.hpp"

namespace trunkline {

void list_webhooks(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto& webhooks = gateway.services->admin->webhooks;
  reply(admin_answer_of(200, {{"webhooks", webhooks ? webhooks() : json_array{}},
                              {"as_of", to_iso8601(gateway.services->clock())}}));
}

} // namespace trunkline
