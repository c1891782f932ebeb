#include "net/http_exchange.hpp"

#include <array>

namespace trunkline {

namespace {

constexpr auto phase_names = std::to_array<std::string_view>(
    {"refused", "name", "connect", "tls", "write", "first_byte", "body"});

} // namespace

std::string_view to_string(exchange_phase phase) {
  return phase_names[static_cast<std::size_t>(phase)];
}

} // namespace trunkline
