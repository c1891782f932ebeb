#include "net/trusted_proxies.hpp"

#include "protocol/errc.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace trunkline {

namespace {

constexpr ip_bytes mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t mapped_bytes = 12;
constexpr unsigned mapped_bits = 96;

bool is_mapped(const ip_bytes& ip) {
  return std::equal(mapped_prefix.begin(), mapped_prefix.begin() + mapped_bytes, ip.begin());
}

bool agree(const ip_bytes& left, const ip_bytes& right, unsigned bits) {
  const auto whole = bits / 8;
  if (!std::equal(left.begin(), left.begin() + whole, right.begin()))
    return false;
  const auto rest = bits % 8;
  return rest == 0 || ((left[whole] ^ right[whole]) >> (8 - rest)) == 0;
}

std::string_view trim(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// Reads an entry of X-Forwarded-For: an address, with a port and brackets at most.
std::optional<ip_bytes> parse_entry(std::string_view text) {
  text = trim(text);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == std::string_view::npos ? std::nullopt : parse_ip(text.substr(1, end - 1));
  }
  if (const auto colon = text.find(':');
      colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos)
    text = text.substr(0, colon);
  return parse_ip(text);
}

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
  if (is_mapped(ip))
    inet_ntop(AF_INET, ip.data() + mapped_bytes, text.data(), text.size());
  else
    inet_ntop(AF_INET6, ip.data(), text.data(), text.size());
  return text.data();
}

caf::expected<trusted_proxies> trusted_proxies::parse(const std::vector<std::string>& prefixes) {
  trusted_proxies result;
  for (const std::string_view text : prefixes) {
    const auto slash = text.find('/');
    const auto ip = parse_ip(text.substr(0, slash));
    if (!ip)
      return make_error(errc::config_invalid, "trusted_proxies: no address: " + std::string{text});
    const auto base = text.find(':') == std::string_view::npos ? mapped_bits : 0U;
    auto bits = 128U - base;
    if (slash != std::string_view::npos) {
      const auto digits = text.substr(slash + 1);
      const auto max = bits;
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
      if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || bits > max)
        return make_error(errc::config_invalid, "trusted_proxies: no prefix: " + std::string{text});
    }
    result.prefixes_.push_back({*ip, base + bits});
  }
  return result;
}

bool trusted_proxies::covers(const ip_bytes& ip) const {
  return std::ranges::any_of(prefixes_,
                             [&](const prefix& p) { return agree(ip, p.bytes, p.bits); });
}

ip_bytes trusted_proxies::client_of(const ip_bytes& socket_peer,
                                    std::string_view forwarded_for) const {
  auto client = socket_peer;
  while (!forwarded_for.empty() && covers(client)) {
    const auto comma = forwarded_for.rfind(',');
    const auto entry =
        comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1);
    const auto ip = parse_entry(entry);
    if (!ip)
      break;
    client = *ip;
    forwarded_for =
        comma == std::string_view::npos ? std::string_view{} : forwarded_for.substr(0, comma);
  }
  return client;
}

} // namespace trunkline
