/// Whose word about a client's address is believed.
///
/// Immutable after `parse`; any thread may ask.
#pragma once

#include "protocol/ip_address.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

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
  std::vector<ip_prefix> prefixes_;
};

} // namespace trunkline
