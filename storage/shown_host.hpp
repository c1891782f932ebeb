/// How a host is written in the address of an account: with its port where that is not the usual
/// one. Internal to `storage`.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace trunkline {

/// SQL for the host `h`: what `to_name` of `protocol/host_address.hpp` writes; null without one.
inline constexpr auto shown_host =
    "h.name || CASE WHEN h.port IN (443, 80) THEN '' ELSE ':' || h.port END";

/// The domain of an address, taken apart. Without a port any port of the host is meant.
struct addressed_host {
  std::string name;
  std::int64_t port = 0; ///< 0: any.
};

inline addressed_host split_host(std::string_view domain) {
  const auto colon = domain.rfind(':');
  if (colon == std::string_view::npos || domain.ends_with(']'))
    return {.name = std::string{domain}};
  auto port = std::int64_t{0};
  const auto digits = domain.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || port < 1)
    return {.name = std::string{domain}};
  return {.name = std::string{domain.substr(0, colon)}, .port = port};
}

} // namespace trunkline
