/// Rows of a route table, and the matching of a path against them.
///
/// A pattern is made of literal segments and of segments with one `{}`, which stands for one or
/// more characters and may have text before and after it ("/admin/v1/hosts/{}:pause", "/@{}").
/// The first row that fits wins: literal rows stand before those with a `{}` in the same place.
#pragma once

#include "api/caller.hpp"
#include "net/http_types.hpp"
#include "protocol/request_params.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

class gateway_state;

/// Whom a route serves.
enum class access : std::uint8_t {
  open,  ///< Everybody; a token that comes along must be valid, and tells who asks.
  token, ///< Whoever has a valid token, apps included.
  user,  ///< A person's token.
  /// Other servers, who sign: no token, no limit of clients, and the body is the handler's to read.
  server,
};

/// A request after matching. Lives until the handler returns: copy what a continuation needs.
struct matched_request {
  const http_request& http;
  std::vector<std::string> segments; ///< What each `{}` stood for, percent-decoded.
  request_params params;             ///< Of the query and the body together.
  caller who;

  const std::string& segment() const { return segments.front(); }
};

/// A free function of state and request. It gets the promise of the answer (`http_reply` and no
/// `caf::result`, because whoever waits is an HTTP connection and no actor) and answers at once or
/// from a continuation; a promise that is dropped answers 500.
using route_handler = void (*)(gateway_state&, const matched_request&, http_reply);

struct route {
  http_method method;
  std::string_view pattern;
  access who;
  std::string_view scope; ///< "" when any token does.
  route_handler handler;
};

struct route_match {
  const route* row = nullptr; ///< Null: no row has this path and method.
  std::vector<std::string> segments;
  std::string allow; ///< Methods that the path has, for 405; "" when it has none: 404.
};

/// Finds the row for a percent-encoded path. HEAD finds the row of GET; one slash at the end
/// changes nothing. A path that cannot be decoded, has an empty segment inside or is longer than 16
/// segments matches nothing.
route_match find_route(std::span<const route> table, http_method method, std::string_view path);

/// Decodes %XX; nothing else is changed. Returns false when a '%' is not followed by two hex
/// digits, or a NUL comes out.
bool percent_decode(std::string_view text, std::string& out);

} // namespace trunkline
