/// OAuth scopes of Mastodon's API: which exist, and which covers which.
#pragma once

#include "protocol/errc.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Scopes in the order they were given, each once.
using scope_set = std::vector<std::string>;

/// Reads scopes parted by spaces or '+'. Fails with `invalid` on one that does not exist or on
/// more than 64 of them. An empty text gives no scopes.
caf::expected<scope_set> parse_scopes(std::string_view text);

/// Returns the scopes parted by spaces.
std::string to_string(const scope_set& scopes);

/// Tells whether one of `held` grants `needed`: itself, or its stem ("read" grants
/// "read:accounts"; "follow" grants what Mastodon lets it). An empty `needed` is granted to all.
bool covers(const scope_set& held, std::string_view needed);

/// Tells whether every one of `wanted` is granted by `held`.
bool covers_all(const scope_set& held, const scope_set& wanted);

/// Every scope that exists, as the server's description lists them.
const scope_set& known_scopes();

} // namespace trunkline
