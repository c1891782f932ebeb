/// Serves HTTP/1.1 and 1.0 on TCP addresses (with TLS of its own when configured) and unix sockets.
///
/// Each server has threads of its own and no global state: several may live in one process. The
/// handler runs on those threads and must not block. Answers may be given from any thread, also
/// after the server is gone. Pipelined requests are answered in order, one at a time. A request
/// that is malformed, too large or too slow never reaches the handler: it is answered
/// {"error":"..."} and its connection is closed. Request framing is judged more strictly than RFC
/// 9112 allows: what two parsers could read in two ways is refused.
#pragma once

#include "net/http_types.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

struct tcp_endpoint {
  std::string address = "127.0.0.1"; ///< A numeric IPv4 or IPv6 address, without brackets.
  std::uint16_t port = 0;            ///< 0: the system chooses; see `http_server::ports`.
};

struct http_server_options {
  std::vector<tcp_endpoint> tcp;
  std::vector<std::string> unix_sockets; ///< Paths; made with mode 0600, removed by `stop`.
  std::size_t threads = 1;               ///< 1 to 64.
  std::string tls_certificate_file;      ///< PEM chain; "" serves TCP in the clear.
  std::string tls_key_file;              ///< PEM; set when the certificate is.
  /// Prefixes ("10.0.0.0/8", "::1"). X-Forwarded-For is believed from these peers only.
  std::vector<std::string> trusted_proxies;

  std::size_t header_bytes_max = 64 * 1024; ///< Request line and headers together; else 431.
  std::size_t headers_max = 100;            ///< Headers of one request; else 431.
  std::size_t target_bytes_max = 8 * 1024;  ///< Request target; else 414.
  std::size_t body_bytes_max = 1024 * 1024; ///< Body of one request, decoded; else 413.
  /// Bodies being received, all connections together; else 503.
  std::size_t bodies_bytes_max = 256 * 1024 * 1024;
  std::size_t connections_max = 10'000;     ///< Open at once; more are answered 503 and closed.
  std::size_t connections_per_peer_max = 0; ///< Of one address; 0: no limit. Proxies are exempt.
  std::size_t descriptors_reserved = 64;    ///< File descriptors left to the rest of the process.
  int listen_backlog = 1024;                ///< Connections that wait to be accepted.
  std::chrono::nanoseconds header_limit = std::chrono::seconds{30}; ///< From connect, or the
                                                                    ///< first byte of a later one.
  std::chrono::nanoseconds body_limit = std::chrono::seconds{30};   ///< The whole body.
  std::chrono::nanoseconds answer_limit = std::chrono::seconds{60}; ///< The handler; else 503.
  std::chrono::nanoseconds write_limit = std::chrono::seconds{30};  ///< The whole answer.
  std::chrono::nanoseconds idle_limit = std::chrono::seconds{75};   ///< Between two requests.
  std::chrono::nanoseconds handshake_limit = std::chrono::seconds{10}; ///< Of TLS.
  std::chrono::nanoseconds linger_limit = std::chrono::seconds{2}; ///< Reading on before a close.
  std::chrono::nanoseconds accept_pause = std::chrono::milliseconds{100}; ///< Without descriptors.
};

/// Sums since the start, but for `open_connections`.
struct http_server_counters {
  std::uint64_t accepted = 0;            ///< Connections that were served.
  std::uint64_t refused_connections = 0; ///< Past a limit of connections or descriptors.
  std::uint64_t requests = 0;            ///< Given to the handler.
  std::uint64_t bad_requests = 0;        ///< Refused before the handler, timeouts not counted.
  std::uint64_t timeouts = 0;            ///< Connections closed by any limit but `idle_limit`.
  std::uint64_t accept_pauses = 0; ///< Times the accept loop stood still for want of descriptors.
  std::uint64_t open_connections = 0;
};

class http_server {
public:
  /// Opens every listener and starts the threads. Fails with `errc::config_invalid` (the context
  /// names the option or file) or `errc::unavailable` (the context names the address or path that
  /// cannot be bound); then nothing runs.
  static caf::expected<std::unique_ptr<http_server>> start(http_server_options options,
                                                           http_handler handler);

  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Calls `stop`.
  ~http_server();

  /// Returns the port of each entry of `options.tcp`, in its order.
  const std::vector<std::uint16_t>& ports() const;

  /// Closes the listeners; what waits in their backlogs is still accepted. Does not block.
  void stop_accepting();

  /// Stops accepting, closes idle connections, answers what is in flight with `Connection: close`,
  /// and blocks until no connection is open or `limit` has passed. Returns whether none is open.
  bool drain(std::chrono::nanoseconds limit);

  /// Closes everything at once and joins the threads; requests in flight get no answer. Must not
  /// be called on a thread of the server. A second call does nothing.
  void stop();

  /// May be called from any thread.
  http_server_counters counters() const;

private:
  class impl;
  explicit http_server(std::unique_ptr<impl> inner);
  std::unique_ptr<impl> impl_;
};

} // namespace trunkline
