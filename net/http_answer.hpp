/// INTERNAL to net: what an answer looks like on the wire, and who a client is.
#pragma once

#include "net/http_types.hpp"
#include "net/trusted_proxies.hpp"

#include <string>
#include <string_view>

namespace trunkline {

/// Returns {"error":"<message>"}. `message` is static text of ours without quotes or control
/// characters.
http_response error_answer(int status, std::string_view message);

struct answer_framing {
  std::string_view date; ///< Value of the Date header.
  bool close = false;    ///< Whether the connection ends after this answer.
};

/// Returns status line and headers, the empty line included. A header of the handler's that holds
/// a CR, LF or NUL is left out: it would begin a header, or an answer, of somebody else's making.
std::string answer_head(const http_response& response, const answer_framing& framing);

/// Tells whether an answer of this status has neither body nor Content-Length.
bool is_bodiless(int status);

/// Returns the client's address: the socket's, or what X-Forwarded-For says if a trusted proxy
/// sent it.
std::string peer_of(const trusted_proxies& proxies, const ip_bytes& socket_peer,
                    const http_headers& headers);

} // namespace trunkline
