/// Numbers out of Prometheus' text format: our own metrics, and what an embedder adds to them.
#pragma once

#include "trunkline/observing.hpp"

#include <string_view>
#include <vector>

namespace trunkline {

/// Returns every sample in the order of the text; lines that cannot be read are left out.
std::vector<metric_reading> read_metrics(std::string_view text);

} // namespace trunkline
