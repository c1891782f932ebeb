/// HTTP as an embedder sees it: requests and answers of `engine::handle`, own routes, transports.
///
/// Plain values that own their text.
#pragma once

#include "trunkline/abi.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {
inline namespace v0 {

/// Names keep the sender's case; look-up ignores it.
using web_headers = std::vector<std::pair<std::string, std::string>>;

struct web_request {
  std::string method = "GET";
  std::string target = "/"; ///< Percent-encoded path and query, as in the request line.
  web_headers headers = {}; ///< At most 100, `server.header_bytes_max` together.
  std::string body = {};    ///< Whole and decoded; `server.body_bytes_max` at most.
  std::string peer = {};    ///< Address of the client, for limits by address; "" for none.
};

struct web_response {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body = {};
  web_headers headers = {}; ///< Without Content-Type, Content-Length, Connection and Date.
};

/// The promise of one answer. Copies share it; it may be kept, and called from any thread, also
/// after the engine is gone. The first call counts. One that is destroyed uncalled answers 500.
class TRUNKLINE_API web_reply {
public:
  using sink = std::function<void(web_response)>;

  web_reply() = default;
  explicit web_reply(sink deliver);

  /// Sends the answer; later calls do nothing.
  void operator()(web_response answer) const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

/// Who sent a request, as its bearer token says.
struct web_caller {
  bool known = false;       ///< A valid token came along.
  std::string account = {}; ///< Decimal id; "" for nobody, or an app on its own behalf.
  std::vector<std::string> scopes = {};
};

/// A request that fits one of the embedder's own routes.
struct route_request {
  web_request web = {};
  std::vector<std::string> segments = {}; ///< What each `{}` of the pattern stood for, decoded.
  web_caller caller = {};
};

/// Whom a route serves; everybody else is answered 401 or 403 before the handler.
enum class route_access : std::uint8_t {
  open,  ///< Everybody; a token that comes along must be valid.
  token, ///< Whoever has a valid token, apps included.
  user,  ///< A person's token.
};

struct route_options {
  route_access access = route_access::open;
  std::string scope = {};              ///< "read", "write:statuses"; "" when any token does.
  std::size_t body_bytes_max = 65'536; ///< More is answered 413; at most `server.body_bytes_max`.
};

/// Answers at once or later. Runs on a thread for the routes of this engine, one at a time: a slow
/// one holds up the other own routes, and nothing else. 256 requests wait for it, and 1,024 in all
/// for an answer; more are answered 503. An exception answers 500.
using route_handler_function = std::function<void(route_request, web_reply)>;

} // namespace v0
} // namespace trunkline
