/// The token that a request carries in its Authorization header.
#pragma once

#include "net/http_types.hpp"

#include <string_view>

namespace trunkline {

/// Returns TOKEN of "Authorization: Bearer TOKEN" (the scheme in any case), or "".
std::string_view bearer_token_of(const http_request& request);

} // namespace trunkline
