/// How filters have decided, as the admin API shows it.
#pragma once

#include "protocol/json.hpp"
#include "trunkline/filter.hpp"

#include <vector>

namespace trunkline {

json_array render_reports(const std::vector<filter_report>& reports);

} // namespace trunkline
