/// Which addresses of other servers may be dialled: those of the public Internet, so that nobody
/// makes this server talk to its own network.
///
/// Pure; any thread.
#pragma once

#include "protocol/ip_address.hpp"

#include <caf/expected.hpp>

#include <string>
#include <vector>

namespace trunkline {

/// Reads the prefixes that an operator allows besides ("10.0.0.0/8", "::1"). Fails with
/// `errc::config_invalid`, naming the prefix.
caf::expected<std::vector<ip_prefix>>
parse_allowed_prefixes(const std::vector<std::string>& prefixes);

/// Tells whether `ip` is a public unicast address, or inside one of `allowed`. Addresses that hold
/// an IPv4 address and are none of a host of their own (::ffff:a.b.c.d, ::a.b.c.d) are judged as
/// that one; translated and tunnelled ones (64:ff9b::/96, 2002::/16, 2001::/32) are refused whole.
bool is_allowed_address(const ip_bytes& ip, const std::vector<ip_prefix>& allowed);

} // namespace trunkline
