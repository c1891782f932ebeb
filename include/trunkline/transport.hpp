/// The seam to other servers: who sends the engine's requests.
#pragma once

#include "trunkline/abi.hpp"
#include "trunkline/web.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>

namespace trunkline {
inline namespace v0 {

struct transport_request {
  std::string method = "GET";
  std::string url = {};     ///< Absolute.
  web_headers headers = {}; ///< Without Host, Connection, Content-Length and Accept-Encoding.
  std::string body = {};
  std::size_t response_bytes_max = 65'536; ///< Of the body, decoded; more is a failure.
};

/// Where a request ended that got no answer.
enum class transport_phase : std::uint8_t {
  refused, ///< Never tried.
  name,
  connect,
  tls,
  write,      ///< Connected, but not fully written.
  first_byte, ///< Fully written; no complete header of an answer.
  body,
};

struct transport_failure {
  transport_phase phase = transport_phase::connect;
  bool timed_out = false;
  std::string reason = {}; ///< In words: "connection refused".
};

using transport_answer = std::variant<transport_failure, web_response>;

/// Sends requests of an engine. Owned by the engine, shared with what is under way.
class TRUNKLINE_API http_transport {
public:
  virtual ~http_transport();

  /// Sends a request and calls `done` once, from any thread, within 15 s. Called from threads of
  /// the engine, at most 4,096 requests at a time; must not block. Redirects are not followed.
  /// Whoever implements it decides which addresses may be dialled: the engine's own client refuses
  /// private ones, and this one is asked in its place.
  virtual void send(transport_request request, std::function<void(transport_answer)> done) = 0;
};

} // namespace v0
} // namespace trunkline
