/// Failures as answers of the client API: the one place where a code becomes a status.
#pragma once

#include "net/http_types.hpp"
#include "protocol/errc.hpp"
#include "protocol/json.hpp"

namespace trunkline {

/// Returns the HTTP status of `code`, as listed in `protocol/errc.hpp`.
int status_of(errc code);

/// Returns `{"error": "..."}` with the status of the failure's code. What is the server's own
/// fault is told in general words; 503 and 507 carry Retry-After.
http_response client_error(const caf::error& failure);

/// Returns the words of `client_error` alone, for pages.
std::string public_words(const caf::error& failure);

/// Returns a 200 with `content` as its body.
http_response json_response(const json_value& content);

} // namespace trunkline
