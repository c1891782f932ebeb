#include "net/trusted_proxies.hpp"

#include "protocol/errc.hpp"

#include <algorithm>
#include <optional>

namespace trunkline {

namespace {

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

caf::expected<trusted_proxies> trusted_proxies::parse(const std::vector<std::string>& prefixes) {
  trusted_proxies result;
  for (const auto& text : prefixes) {
    const auto prefix = parse_ip_prefix(text);
    if (!prefix)
      return make_error(errc::config_invalid, "trusted_proxies: no prefix: " + text);
    result.prefixes_.push_back(*prefix);
  }
  return result;
}

bool trusted_proxies::covers(const ip_bytes& ip) const {
  return std::ranges::any_of(prefixes_, [&](const ip_prefix& prefix) { return prefix.covers(ip); });
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
