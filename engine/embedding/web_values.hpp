/// HTTP as embedders see it, made of ours and back.
#pragma once

#include "api/caller.hpp"
#include "net/http_types.hpp"
#include "trunkline/web.hpp"

#include <optional>
#include <string_view>

namespace trunkline {

/// The method that a route of an embedder may have: GET, POST, PUT, PATCH or DELETE.
std::optional<http_method> parse_own_method(std::string_view name);

web_request to_web(const http_request& request);
web_caller to_web(const caller& who);

/// What `answer` says, without the headers that are the server's to write. 500 when its status or
/// one of its headers is none.
http_response from_web(web_response answer);

} // namespace trunkline
