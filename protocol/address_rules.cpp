#include "protocol/address_rules.hpp"

#include "protocol/errc.hpp"

#include <algorithm>

namespace trunkline {

namespace {

struct v4_range {
  std::uint32_t first = 0;
  unsigned bits = 0;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return a << 24 | b << 16 | c << 8;
}

/// Of IANA's registry of special-purpose addresses: all that are no host's of the public Internet.
constexpr auto refused_v4 = std::to_array<v4_range>({
    {v4(0, 0, 0), 8},       // this network
    {v4(10, 0, 0), 8},      // private
    {v4(100, 64, 0), 10},   // shared by the customers of a carrier
    {v4(127, 0, 0), 8},     // loopback
    {v4(169, 254, 0), 16},  // link-local, the metadata services of clouds
    {v4(172, 16, 0), 12},   // private
    {v4(192, 0, 0), 24},    // protocol assignments
    {v4(192, 0, 2), 24},    // documentation
    {v4(192, 88, 99), 24},  // relays of 6to4
    {v4(192, 168, 0), 16},  // private
    {v4(198, 18, 0), 15},   // benchmarking
    {v4(198, 51, 100), 24}, // documentation
    {v4(203, 0, 113), 24},  // documentation
    {v4(224, 0, 0), 4},     // multicast
    {v4(240, 0, 0), 4},     // reserved, broadcast
});

struct v6_range {
  std::uint64_t first = 0; ///< The upper half; no range is smaller than that.
  unsigned bits = 0;
};

/// 2000::/3 is all that is given out; what is refused in it holds other addresses or is for paper.
constexpr auto refused_v6 = std::to_array<v6_range>({
    {0x0000'0000'0000'0000, 3},  // ::, ::1, 64:ff9b::/96, 64:ff9b:1::/48, 100::/64
    {0x4000'0000'0000'0000, 2},  // not given out
    {0x8000'0000'0000'0000, 1},  // fc00::/7, fe80::/10, fec0::/10, ff00::/8
    {0x2001'0000'0000'0000, 23}, // protocol assignments, Teredo
    {0x2001'0db8'0000'0000, 32}, // documentation
    {0x2002'0000'0000'0000, 16}, // 6to4
    {0x3fff'0000'0000'0000, 20}, // documentation
});

constexpr std::size_t v4_begin = 12;

template <class Number, std::size_t Bytes = sizeof(Number)>
Number read_number(const std::uint8_t* bytes) {
  Number number = 0;
  for (std::size_t i = 0; i < Bytes; ++i)
    number = static_cast<Number>(number << 8 | bytes[i]);
  return number;
}

bool is_public_v4(const ip_bytes& ip) {
  const auto number = read_number<std::uint32_t>(ip.data() + v4_begin);
  return std::ranges::none_of(refused_v4, [&](const v4_range& range) {
    return (number ^ range.first) >> (32 - range.bits) == 0;
  });
}

bool is_public_v6(const ip_bytes& ip) {
  const auto number = read_number<std::uint64_t>(ip.data());
  return std::ranges::none_of(refused_v6, [&](const v6_range& range) {
    return (number ^ range.first) >> (64 - range.bits) == 0;
  });
}

/// Returns ::a.b.c.d as ::ffff:a.b.c.d, every other address as it is.
ip_bytes unwrap(ip_bytes ip) {
  if (std::all_of(ip.begin(), ip.begin() + v4_begin, [](auto byte) { return byte == 0; }))
    ip[v4_begin - 2] = ip[v4_begin - 1] = 0xff;
  return ip;
}

bool is_covered(const ip_bytes& ip, const std::vector<ip_prefix>& prefixes) {
  return std::ranges::any_of(prefixes, [&](const ip_prefix& prefix) { return prefix.covers(ip); });
}

} // namespace

caf::expected<std::vector<ip_prefix>>
parse_allowed_prefixes(const std::vector<std::string>& prefixes) {
  std::vector<ip_prefix> result;
  for (const auto& text : prefixes) {
    const auto prefix = parse_ip_prefix(text);
    if (!prefix)
      return make_error(errc::config_invalid, "allowed_addresses: no prefix: " + text);
    result.push_back(*prefix);
  }
  return result;
}

bool is_allowed_address(const ip_bytes& ip, const std::vector<ip_prefix>& allowed) {
  const auto judged = unwrap(ip);
  if (is_covered(ip, allowed) || is_covered(judged, allowed))
    return true;
  return is_ipv4(judged) ? is_public_v4(judged) : is_public_v6(judged);
}

} // namespace trunkline
