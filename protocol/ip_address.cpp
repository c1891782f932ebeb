#include "protocol/ip_address.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace trunkline {

namespace {

constexpr ip_bytes mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t mapped_bytes = 12;
constexpr unsigned mapped_bits = 96;
constexpr unsigned all_bits = 128;

} // namespace

std::optional<ip_bytes> parse_ip(std::string_view text) {
  if (text.find('\0') != std::string_view::npos)
    return std::nullopt; // the C function would stop there
  const std::string copy{text};
  ip_bytes ip = mapped_prefix;
  if (inet_pton(AF_INET, copy.c_str(), ip.data() + mapped_bytes) == 1)
    return ip;
  if (inet_pton(AF_INET6, copy.c_str(), ip.data()) == 1)
    return ip;
  return std::nullopt;
}

std::string to_text(const ip_bytes& ip) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv4(ip))
    inet_ntop(AF_INET, ip.data() + mapped_bytes, text.data(), text.size());
  else
    inet_ntop(AF_INET6, ip.data(), text.data(), text.size());
  return text.data();
}

bool is_ipv4(const ip_bytes& ip) {
  return std::equal(mapped_prefix.begin(), mapped_prefix.begin() + mapped_bytes, ip.begin());
}

bool ip_prefix::covers(const ip_bytes& ip) const {
  const auto whole = bits / 8;
  if (!std::equal(bytes.begin(), bytes.begin() + whole, ip.begin()))
    return false;
  const auto rest = bits % 8;
  return rest == 0 || ((bytes[whole] ^ ip[whole]) >> (8 - rest)) == 0;
}

std::optional<ip_prefix> parse_ip_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip)
    return std::nullopt;
  const auto base = text.find(':') == std::string_view::npos ? mapped_bits : 0U;
  const auto bits_max = all_bits - base;
  if (slash == std::string_view::npos)
    return ip_prefix{*ip, all_bits};
  const auto digits = text.substr(slash + 1);
  auto bits = bits_max;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || bits > bits_max)
    return std::nullopt;
  return ip_prefix{*ip, base + bits};
}

} // namespace trunkline
