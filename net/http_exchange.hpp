/// One request to another server and what came of it: the seam between actors and the HTTP client.
///
/// `http_sender` is implemented by `http_client`, and by simulated hosts in tests.
#pragma once

#include "net/http_types.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

namespace trunkline {

struct outgoing_request {
  http_method method = http_method::get;
  std::string url;      ///< Absolute; what `parse_remote_url` takes.
  http_headers headers; ///< Without Host, Connection, Content-Length and Accept-Encoding.
  std::shared_ptr<const std::string> body;    ///< Null: none.
  std::size_t response_bytes_max = 64 * 1024; ///< Of the body, inflated; more is a failure.
  std::uint64_t id = 0;                       ///< For `cancel`; 0: cannot be cancelled.
};

/// Returns an id for a request that may have to be cancelled: one that no other request of this
/// process has. Any thread.
std::uint64_t next_request_id();

/// What came back, whatever its status. Redirects are not followed.
struct incoming_response {
  int status = 0;
  http_headers headers;
  std::string body; ///< Decoded from chunks and gzip.
};

/// Where a request ended that got no answer.
enum class exchange_phase : std::uint8_t {
  refused, ///< Never tried: URL, port or address is not allowed, or the client has no room.
  name,    ///< The host's name has no address, or no answer in time.
  connect,
  tls,
  write,      ///< Connected, but the request was not fully written.
  first_byte, ///< Fully written; no complete header of an answer.
  body,       ///< The answer broke off, is too large or cannot be decoded.
};

/// Returns the phase's name, as in logs and the admin API: "first_byte".
std::string_view to_string(exchange_phase phase);

struct exchange_failure {
  exchange_phase phase = exchange_phase::connect;
  bool timed_out = false;
  bool name_unknown = false; ///< The name does not exist (NXDOMAIN).
  std::string reason;        ///< In words: "connection refused", "certificate has expired".

  /// Tells whether the peer may have seen the whole request.
  bool fully_written() const {
    return phase == exchange_phase::first_byte || phase == exchange_phase::body;
  }
};

/// What each phase took; 0 for a phase that was not needed (a kept connection).
struct exchange_timing {
  std::chrono::microseconds name{0};
  std::chrono::microseconds connect{0};
  std::chrono::microseconds tls{0};
  std::chrono::microseconds first_byte{0}; ///< From the request written to the answer's headers.
  std::chrono::microseconds total{0};
};

struct exchange_outcome {
  std::variant<exchange_failure, incoming_response> result;
  exchange_timing timing;

  const incoming_response* response() const { return std::get_if<incoming_response>(&result); }
  const exchange_failure* failure() const { return std::get_if<exchange_failure>(&result); }
};

/// Called once per request, on a thread of the sender; must not block.
using exchange_handler = std::function<void(exchange_outcome)>;

class http_sender {
public:
  virtual ~http_sender() = default;

  /// Sends a request and calls `done` once, within the sender's limit of a whole request. May be
  /// called from any thread; does not block. After the sender has been stopped, `done` gets a
  /// failure of phase `refused`.
  virtual void send(outgoing_request request, exchange_handler done) = 0;

  /// Ends the request that was sent with this id early: its `done` gets a failure of the phase
  /// that it was in, with `timed_out`, unless it has ended. Unknown ids are ignored. May be called
  /// from any thread; does not block.
  virtual void cancel(std::uint64_t id) { static_cast<void>(id); }
};

} // namespace trunkline
