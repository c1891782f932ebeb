/// Numeric addresses and prefixes of them: bytes, text and who covers whom.
///
/// Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

/// An IPv6 address; IPv4 is mapped into it (::ffff:a.b.c.d).
using ip_bytes = std::array<std::uint8_t, 16>;

/// Returns the bytes of a numeric address without port and brackets, or nothing. IPv4 is four
/// decimal numbers: other spellings (2130706433, 0x7f.1) are no addresses.
std::optional<ip_bytes> parse_ip(std::string_view text);

/// Returns the usual text of `ip`; a mapped IPv4 address as IPv4.
std::string to_text(const ip_bytes& ip);

/// Tells whether `ip` is a mapped IPv4 address.
bool is_ipv4(const ip_bytes& ip);

struct ip_prefix {
  ip_bytes bytes{};
  unsigned bits = 0; ///< Of all 128: those of an IPv4 prefix begin at 96.

  bool covers(const ip_bytes& ip) const;
};

/// Reads a prefix like "10.0.0.0/8" or "::1/128", or a bare address, which covers itself alone.
std::optional<ip_prefix> parse_ip_prefix(std::string_view text);

} // namespace trunkline
