/// Sends requests to other servers over HTTP/1.1: one thread, whatever the load.
///
/// Connections are kept per origin and reused. Every address is judged after its name was looked
/// up, and the judged one is connected to; redirects are never followed. What other servers can
/// make it hold is bounded by the options.
#pragma once

#include "net/http_exchange.hpp"

#include <caf/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trunkline {

struct http_client_options {
  std::string user_agent = "Trunkline";
  bool allow_http = false; ///< Besides https; in test mode.
  /// Prefixes ("10.0.0.0/8", "::1") that may be dialled besides the public Internet.
  std::vector<std::string> allowed_addresses;
  /// Names of this server, never dialled: "example.org" on any port, "example.org:8443" on one.
  std::vector<std::string> own_hosts;
  std::vector<std::string> name_servers; ///< "127.0.0.1:5353"; none: the system's.
  std::string ca_file;                   ///< PEM; "": the system's.

  std::size_t requests_max = 4'096;          ///< Under way or waiting; more are refused.
  std::size_t connections_max = 8'192;       ///< Open, in use and kept; at least `requests_max`.
  std::size_t connections_per_host_max = 16; ///< More requests wait for one.
  std::size_t known_hosts_max = 50'000;      ///< Names whose addresses are remembered.
  std::size_t lookups_max = 256;             ///< Of names, at once; more wait.
  std::size_t lookups_per_domain_max = 8;    ///< Likewise, of one registrable domain.
  std::size_t addresses_max = 8;             ///< Of one name.
  std::size_t tls_sessions_max = 1'024;      ///< Kept to be resumed.
  std::size_t header_bytes_max = 64 * 1024;  ///< Of an answer.
  std::size_t bodies_bytes_max = 256 << 20;  ///< Of all answers being received.
  std::size_t interim_answers_max = 8;       ///< With a status 1xx, before the answer.

  std::chrono::nanoseconds name_limit = std::chrono::seconds{5};
  std::chrono::nanoseconds connect_limit = std::chrono::seconds{5}; ///< All addresses together.
  std::chrono::nanoseconds tls_limit = std::chrono::seconds{5};
  std::chrono::nanoseconds first_byte_limit = std::chrono::seconds{10}; ///< To write the request,
                                                                        ///< then for the headers.
  std::chrono::nanoseconds total_limit = std::chrono::seconds{15};
  std::chrono::nanoseconds idle_limit = std::chrono::seconds{30}; ///< Of a kept connection.
  std::chrono::nanoseconds name_kept_min = std::chrono::seconds{60};
  std::chrono::nanoseconds name_kept_max = std::chrono::hours{1};
  std::chrono::nanoseconds failure_kept = std::chrono::seconds{60};       ///< Of a look-up.
  std::chrono::nanoseconds unknown_name_kept = std::chrono::seconds{300}; ///< NXDOMAIN.
};

/// Sums since the start, but for the last three.
struct http_client_counters {
  std::uint64_t requests = 0;
  std::uint64_t answers = 0;
  std::uint64_t failures = 0; ///< Refused ones too.
  std::uint64_t refused = 0;
  std::uint64_t retries = 0;     ///< On a new connection: the kept one had been closed.
  std::uint64_t connections = 0; ///< Opened.
  std::uint64_t reused = 0;      ///< Requests on a kept connection.
  std::uint64_t resumed = 0;     ///< TLS handshakes that resumed a session.
  std::uint64_t lookups = 0;     ///< Of names, asked of a server.
  std::uint64_t open_connections = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t known_hosts = 0;
};

class http_client final : public http_sender {
public:
  /// Starts the thread. Fails with `errc::config_invalid`, naming the option.
  static caf::expected<std::unique_ptr<http_client>> start(http_client_options options);

  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Calls `stop`.
  ~http_client() override;

  void send(outgoing_request request, exchange_handler done) override;
  void cancel(std::uint64_t id) override;

  /// Ends every request with a failure and joins the thread. Must not be called on it. A second
  /// call does nothing.
  void stop();

  /// May be called from any thread.
  http_client_counters counters() const;

private:
  class impl;
  explicit http_client(std::unique_ptr<impl> inner);
  std::unique_ptr<impl> impl_;
};

} // namespace trunkline
