/// What an HTTP request and its answer are, for whoever serves or handles them.
///
/// Plain values that own their text. Header names keep the sender's case; look-up ignores it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {

enum class http_method : std::uint8_t { get, head, post, put, patch, del, options, other };

/// Returns "GET", "POST", ...; "OTHER" for a method that no route can have.
std::string_view to_string(http_method method);

using http_headers = std::vector<std::pair<std::string, std::string>>;

/// Returns the first value of the header `name` (any case), or "".
std::string_view find_header(const http_headers& headers, std::string_view name);

struct http_request {
  http_method method = http_method::get;
  std::string path;  ///< Percent-encoded as sent, starts with '/', without the query.
  std::string query; ///< What follows '?', without it.
  http_headers headers;
  std::string body; ///< Decoded from chunks; at most the server's limit.
  std::string peer; ///< Address of the client: the socket's, or a trusted proxy's word.
  std::uint32_t peer_uid = UINT32_MAX; ///< Of a unix socket's peer; the maximum elsewhere.
  bool over_unix_socket = false;
  /// Another node has passed it on to the one that must answer it. No client can say so, and it
  /// does not travel: whoever receives such a request sets it.
  bool is_passed_on = false;

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

struct http_response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json; charset=utf-8";
  http_headers headers; ///< Without Content-Length, Content-Type, Connection and Date.
  bool close = false;   ///< Close the connection after this answer.
};

/// The promise of one answer. It is moved along until somebody calls it, from any thread; the
/// first call counts, and one that is destroyed uncalled answers 500, so that no client waits for
/// an answer that nobody will give.
class http_reply {
public:
  using sink = std::function<void(http_response)>;

  http_reply() = default;
  explicit http_reply(sink deliver);

  /// Sends the answer; later calls do nothing.
  void operator()(http_response response) const;

  /// Tells whether an answer was given.
  bool answered() const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

/// Takes each request on one of the server's threads; must not block.
using http_handler = std::function<void(http_request, http_reply)>;

} // namespace trunkline
