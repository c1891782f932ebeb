/// A remote host as it is named: scheme, host and port, which together are an origin.
///
/// Plain values; any thread.
#pragma once

#include <caf/expected.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace trunkline {

/// Lower-case A-label, IPv4 address or bracketed IPv6 address, without trailing dot.
struct host_address {
  std::string scheme; ///< "https", in test mode also "http".
  std::string name;
  std::int64_t port = 443;

  friend auto operator<=>(const host_address&, const host_address&) = default;
};

/// Returns the canonical key: "https://example.org:443". It names the host's shard.
std::string to_key(const host_address& host);

/// Returns the name that people and the admin API use: "example.org", or "example.org:8443" where
/// the port is not the scheme's own.
std::string to_name(const host_address& host);

/// Reads what `to_name` writes; `scheme` is what a name without one means. Fails with
/// `errc::invalid`.
caf::expected<host_address> parse_host_name(std::string_view text, std::string_view scheme);

/// A URL of another server.
struct remote_url {
  host_address host;
  std::string target; ///< Path and query, begins with '/'; without the fragment.
  std::string text;   ///< The whole URL as it was given, the fragment included.
};

/// Which URLs are taken.
struct url_rules {
  bool allow_http = false; ///< In test mode.
};

inline constexpr std::size_t url_bytes_max = 2'048;

/// Reads an absolute URL of another server. Upper-case and IDN host names are brought to their
/// canonical form. Fails with `errc::invalid` on: another scheme, user info, a host that has no
/// canonical form (2130706531, 0x7f.1 and a trailing dot among them), a port that is refused
/// (`is_refused_port`), white space, controls, backslashes, more than `url_bytes_max` bytes.
caf::expected<remote_url> parse_remote_url(std::string_view text, url_rules rules);

/// Tells whether a port is none that a web server has: below 1024 but 80 and 443, and those of
/// well-known services above (databases, caches, X11, IRC).
bool is_refused_port(std::int64_t port);

/// Tells whether two URLs have the same scheme, host and port. False when one cannot be read.
bool is_same_origin(std::string_view one, std::string_view other, url_rules rules);

} // namespace trunkline

template <>
struct std::hash<trunkline::host_address> {
  std::size_t operator()(const trunkline::host_address& host) const noexcept {
    return std::hash<std::string>{}(host.name) ^ static_cast<std::size_t>(host.port) << 1;
  }
};
