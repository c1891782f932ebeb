/// Posts through HTTP: keep-alive clients, each one post at a time, on one thread of their own.
#pragma once

#include "bench/figures.hpp"

#include <cstdint>

namespace trunkline::bench {

/// Posts to 127.0.0.1:`port` for `span`; client n has the token "bench-<n>". The CPU of the clients
/// is not counted. Blocks. Throws when a client cannot connect or is cut off.
load_figures post_through_http(std::uint16_t port, std::size_t posters, std::chrono::seconds span);

} // namespace trunkline::bench
