#include "protocol/registrable_domain.hpp"

#include "protocol/ip_address.hpp"

#include <libpsl.h>

#include <algorithm>
#include <cstddef>

namespace trunkline {

namespace {

constexpr std::size_t ipv4_network_bytes = 15; // ::ffff:a.b.c
constexpr std::size_t ipv6_network_bytes = 6;

std::string network_of(ip_bytes ip) {
  const auto is_v4 = is_ipv4(ip);
  const auto kept = is_v4 ? ipv4_network_bytes : ipv6_network_bytes;
  std::fill(ip.begin() + kept, ip.end(), std::uint8_t{0});
  return to_text(ip) + (is_v4 ? "/24" : "/48");
}

} // namespace

std::string registrable_domain(std::string_view host_name) {
  const auto is_bracketed = host_name.starts_with('[') && host_name.ends_with(']');
  const auto address = is_bracketed ? host_name.substr(1, host_name.size() - 2) : host_name;
  if (const auto ip = parse_ip(address))
    return network_of(*ip);
  auto name = std::string{host_name};
  const auto* found = psl_registrable_domain(psl_builtin(), name.c_str());
  return found ? std::string{found} : name;
}

} // namespace trunkline
