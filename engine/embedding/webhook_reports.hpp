/// How webhooks do, as the admin API shows it.
#pragma once

#include "actors/webhook_status.hpp"
#include "protocol/json.hpp"

#include <vector>

namespace trunkline {

json_array render_reports(const std::vector<webhook_facts>& facts);

} // namespace trunkline
