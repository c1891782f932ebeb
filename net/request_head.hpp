/// INTERNAL to net: the head of a request to another server, and what may stand in it.
///
/// Pure; any thread.
#pragma once

#include "net/http_exchange.hpp"
#include "protocol/host_address.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

/// Returns why `request` cannot be sent as it is, or nothing: a header that would begin another
/// one, that is the client's own to write, or a method without a name.
std::optional<std::string> find_request_fault(const outgoing_request& request);

/// Returns request line and headers, the empty line included. `request` has no fault.
std::string make_request_head(const outgoing_request& request, const remote_url& url,
                              std::string_view user_agent);

} // namespace trunkline
