/// INTERNAL to net: what the parts of one `http_client` share.
///
/// Belongs to the client's thread but for the options and the counters.
#pragma once

#include "net/deadlines.hpp"
#include "net/http_client.hpp"
#include "protocol/ip_address.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <string_view>
#include <vector>

namespace trunkline {

struct client_counts {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> answers = 0;
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::uint64_t> retries = 0;
  std::atomic<std::uint64_t> connections = 0;
  std::atomic<std::uint64_t> reused = 0;
  std::atomic<std::uint64_t> resumed = 0;
  std::atomic<std::uint64_t> lookups = 0;
  std::atomic<std::uint64_t> open_connections = 0;
  std::atomic<std::uint64_t> in_flight = 0;
  std::atomic<std::uint64_t> known_hosts = 0;
};

class connection_pool;
class name_resolver;
class tls_client;

struct client_shared {
  client_shared(http_client_options opts, std::vector<ip_prefix> allowed)
      : options{std::move(opts)}, allowed_addresses{std::move(allowed)} {}

  const http_client_options options;
  const std::vector<ip_prefix> allowed_addresses;
  client_counts counts;
  boost::asio::io_context loop{1};
  deadlines limits{loop}; ///< Of the exchanges.
  connection_pool* pool = nullptr;
  name_resolver* names = nullptr;
  tls_client* tls = nullptr;
  std::size_t bodies_bytes = 0; ///< Of answers that are being received.
};

} // namespace trunkline
