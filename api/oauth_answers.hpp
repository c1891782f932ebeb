/// What the OAuth endpoints share: errors in OAuth's shape, and the credentials of a client.
#pragma once

#include "api/handling.hpp"

#include <string>
#include <string_view>

namespace trunkline {

/// Answers `{"error": code, "error_description": words}` and counts it as a refusal.
void refuse_oauth(gateway_state& gateway, const http_reply& reply, int status,
                  std::string_view code, std::string_view words);

/// The id and secret of a client, from the parameters or HTTP Basic.
struct client_credentials {
  std::string id;
  std::string secret;
};
client_credentials read_client(const matched_request& request);

} // namespace trunkline
