/// Failures of the admin API as `application/problem+json` (RFC 9457).
#pragma once

#include "net/http_types.hpp"
#include "protocol/errc.hpp"

#include <string_view>

namespace trunkline {

/// Returns type, title, status and detail of `failure`; 503 and 507 carry `retry_after` too. What
/// is the server's own fault is named by its code alone.
http_response problem(const caf::error& failure);

/// The same with a status and words that the code does not say.
http_response problem(int status, errc code, std::string_view words);

} // namespace trunkline
