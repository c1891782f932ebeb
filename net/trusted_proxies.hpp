/// Whose word about a client's address is believed.
///
/// Immutable after `parse`; any thread may ask.
#pragma once

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// An IPv6 address; IPv4 is mapped into it (::ffff:a.b.c.d).
using ip_bytes = std::array<std::uint8_t, 16>;

/// Returns the bytes of a numeric address without port and brackets, or nothing.
std::optional<ip_bytes> parse_ip(std::string_view text);

/// Returns the usual text of `ip`; a mapped IPv4 address as IPv4.
std::string to_text(const ip_bytes& ip);

class trusted_proxies {
public:
  trusted_proxies() = default;

  /// Reads prefixes like "10.0.0.0/8", "::1/128" or a bare address. Fails with
  /// `errc::config_invalid`, naming the prefix.
  static caf::expected<trusted_proxies> parse(const std::vector<std::string>& prefixes);

  bool covers(const ip_bytes& ip) const;

  /// Returns who the client is. `forwarded_for` is the list of X-Forwarded-For, all headers joined
  /// by commas. It counts only when `socket_peer` is trusted: then the right-most address that is
  /// not itself a proxy of ours; an entry that is no address ends the walk at the one before it.
  ip_bytes client_of(const ip_bytes& socket_peer, std::string_view forwarded_for) const;

private:
  struct prefix {
    ip_bytes bytes{};
    unsigned bits = 0;
  };
  std::vector<prefix> prefixes_;
};

} // namespace trunkline
