/// The control port of the fake hosts: scripts in, figures out.
///
///     POST /script?hosts=0-99,200&mode=slow:5000   (modes: farm_script.hpp)
///     POST /key?id=KEY_ID                          body: the public key as PEM
///     POST /reset                                  forgets what arrived
///     GET /count                                   totals
///     GET /stats?hosts=0-99&since=NS&until=NS      arrivals and their latencies
///     GET /hosts?hosts=0-99                        counts of each host
///     GET /activities, GET /arrivals?hosts=0-99    lines, separated by tabs
///     GET /problems                                what was wrong with signatures
/// Answers are JSON but for the lines.
#pragma once

#include "bench/farm_server.hpp"

#include <string>

namespace trunkline::bench {

/// Answers one request on the control port of `farm`.
std::string control_farm(farm_server& farm, const farm_request& request, int& status);

} // namespace trunkline::bench
