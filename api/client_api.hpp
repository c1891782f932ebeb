/// The client API: Mastodon's routes, OAuth, the well-known documents and the pages for people.
#pragma once

#include "api/gateway.hpp"

namespace trunkline {

/// Every route of the client API. The answer of what is not in it is 404.
std::span<const route> client_routes();

/// The client API as a flavour of the gateway: bearer tokens, CORS, limits, Mastodon's errors.
api_flavour client_flavour();

} // namespace trunkline
