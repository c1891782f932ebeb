/// Judges a request that came in over no socket by the rules of those that did, in the same words.
///
/// Pure; any thread.
#pragma once

#include "net/http_types.hpp"
#include "net/request_rules.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

struct request_limits {
  head_limits head = {
      .header_bytes_max = 64 * 1024, .headers_max = 100, .target_bytes_max = 8 * 1024};
  std::size_t body_bytes_max = 0;
};

/// The parts of a request as somebody else's server has read them.
struct loose_request {
  std::string method;
  std::string target; ///< As in the request line.
  http_headers headers;
  std::string body; ///< Whole and decoded.
};

/// Moves `parts` into method, path, query, headers and body of `request`. Returns why no server
/// would let it through: as over HTTP/1.1, but that Host may be missing, that nothing is left to
/// be decoded (every Transfer-Encoding is refused), and that Content-Length, where there is one,
/// must be the size of the body.
std::optional<http_fault> take_request(loose_request parts, const request_limits& limits,
                                       http_request& request);

/// Returns the answer of a server to a request with `fault`.
http_response answer_of(const http_fault& fault);

} // namespace trunkline
