#include "net/http_exchange.hpp"

#include <array>
#include <atomic>

namespace trunkline {

namespace {

constexpr auto phase_names = std::to_array<std::string_view>(
    {"refused", "name", "connect", "tls", "write", "first_byte", "body"});

} // namespace

std::string_view to_string(exchange_phase phase) {
  return phase_names[static_cast<std::size_t>(phase)];
}

std::uint64_t next_request_id() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

} // namespace trunkline
