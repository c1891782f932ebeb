/// INTERNAL to net: one thread of an `http_server`, its event loop, listeners and connections.
///
/// Everything but `loop` and `shared` belongs to the worker's own thread. An `http_reply` keeps no
/// worker alive: it holds it weakly, so that an answer may come after the server is gone.
#pragma once

#include "net/connection_census.hpp"
#include "net/http_server.hpp"
#include "net/trusted_proxies.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace trunkline {

class http_listener;

/// One open connection; lives in its worker's `open` until it is closed.
class http_connection {
public:
  http_connection() = default;
  http_connection(const http_connection&) = delete;
  http_connection& operator=(const http_connection&) = delete;
  virtual ~http_connection() = default;

  virtual void start() = 0;

  /// Closes now if idle, else after the answer in flight.
  virtual void drain() = 0;

  /// Closes at once.
  virtual void abort() = 0;
};

/// What all workers of one server share.
struct http_server_shared {
  http_server_shared(http_server_options opts, http_handler handle, trusted_proxies trusted)
      : options{std::move(opts)}, handler{std::move(handle)}, proxies{std::move(trusted)},
        census{options.connections_max, options.connections_per_peer_max} {}

  const http_server_options options;
  const http_handler handler;
  const trusted_proxies proxies;
  std::optional<boost::asio::ssl::context> tls;
  connection_census census;
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> refused_connections = 0;
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> bad_requests = 0;
  std::atomic<std::uint64_t> timeouts = 0;
  std::atomic<std::uint64_t> accept_pauses = 0;
  std::atomic<std::size_t> bodies_bytes = 0; ///< Of bodies that are being received.
};

class http_worker : public std::enable_shared_from_this<http_worker> {
public:
  explicit http_worker(std::shared_ptr<http_server_shared> server) : shared{std::move(server)} {}

  /// Runs the loop on a new thread that takes no signals, until `stop`.
  void start();

  /// These three may be called from any thread; the work is done on the worker's. `begun` is called
  /// there once no connection can be added any more.
  void stop_accepting();
  void drain(std::function<void()> begun);
  void stop();

  void join();

  /// Returns the value of the Date header, made anew once a second.
  std::string_view date();

  const std::shared_ptr<http_server_shared> shared;
  boost::asio::io_context loop{1};
  std::vector<std::shared_ptr<http_listener>> listeners;
  std::unordered_map<http_connection*, std::shared_ptr<http_connection>> open;
  bool draining = false;

private:
  void close_listeners();

  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> busy_;
  std::thread thread_;
  std::time_t date_at_ = 0;
  std::string date_;
};

/// Makes the connection of an accepted non-blocking socket and enters it into `worker.open`.
/// `peer` is null for a unix socket.
void open_connection(http_worker& worker, int descriptor, int family, const ip_bytes* peer,
                     std::uint32_t peer_uid);

} // namespace trunkline
