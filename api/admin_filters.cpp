#include "api/admin_handlers.hpp"
#include "api/admin_services.hpp"

namespace trunkline {

void list_filters(gateway_state& gateway, const matched_request&, http_reply reply) {
  const auto& filters = gateway.services->admin->filters;
  reply(admin_answer_of(200, {{"filters", filters ? filters() : json_array{}},
                              {"as_of", to_iso8601(gateway.services->clock())}}));
}

} // namespace trunkline
