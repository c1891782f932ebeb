#include "net/http_server.hpp"

#include "net/http_listener.hpp"
#include "net/http_worker.hpp"
#include "net/listening_socket.hpp"

#include "protocol/errc.hpp"

#include <openssl/ssl.h>

#include <future>

#include <unistd.h>

namespace trunkline {

namespace {

constexpr std::size_t threads_max = 64;

/// Chooses HTTP/1.1 where the client offers it; a client that offers only others gets an alert.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_bytes,
                    const unsigned char* in, unsigned in_bytes, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_bytes, ours, sizeof ours - 1, in, in_bytes) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

caf::error load_tls(boost::asio::ssl::context& tls, const http_server_options& options) {
  using context = boost::asio::ssl::context;
  boost::system::error_code failure;
  tls.set_options(context::default_workarounds | context::no_sslv2 | context::no_sslv3 |
                      context::no_tlsv1 | context::no_tlsv1_1 | context::single_dh_use,
                  failure);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_select_cb(tls.native_handle(), choose_protocol, nullptr);
  SSL_CTX_set_mode(tls.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  tls.use_certificate_chain_file(options.tls_certificate_file, failure);
  if (failure)
    return make_error(errc::config_invalid,
                      "tls_certificate_file: " + options.tls_certificate_file + ": " +
                          failure.message());
  tls.use_private_key_file(options.tls_key_file, context::pem, failure);
  if (failure)
    return make_error(errc::config_invalid,
                      "tls_key_file: " + options.tls_key_file + ": " + failure.message());
  return caf::none;
}

caf::error check(const http_server_options& options) {
  if (options.threads < 1 || options.threads > threads_max)
    return make_error(errc::config_invalid, "threads: 1 to 64");
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty())
    return make_error(errc::config_invalid,
                      "tls_certificate_file: certificate and key go together");
  if (options.header_bytes_max < 1024 || options.header_bytes_max > 1024 * 1024)
    return make_error(errc::config_invalid, "header_bytes_max: 1 KiB to 1 MiB");
  return caf::none;
}

} // namespace

class http_server::impl {
public:
  explicit impl(std::shared_ptr<http_server_shared> shared) : shared_{std::move(shared)} {
    for (std::size_t i = 0; i < shared_->options.threads; ++i)
      workers_.push_back(std::make_shared<http_worker>(shared_));
  }

  ~impl() { stop(); }

  caf::error open_listeners() {
    for (const auto& endpoint : shared_->options.tcp)
      if (auto failure = listen_on(endpoint))
        return failure;
    for (const auto& path : shared_->options.unix_sockets)
      if (auto failure = listen_on(path))
        return failure;
    return caf::none;
  }

  void run() {
    running_ = true;
    for (const auto& worker : workers_)
      worker->start();
  }

  void stop_accepting() {
    for (const auto& worker : workers_)
      worker->stop_accepting();
  }

  bool drain(std::chrono::nanoseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    const auto begun = std::make_shared<std::promise<void>>();
    const auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
    for (const auto& worker : workers_)
      worker->drain([begun, left] {
        if (--*left == 0)
          begun->set_value();
      });
    // What waited in the backlogs is counted before anybody asks whether all is done.
    if (begun->get_future().wait_until(until) != std::future_status::ready)
      return false;
    return shared_->census.wait_empty(until - std::chrono::steady_clock::now());
  }

  void stop() {
    for (const auto& path : std::exchange(paths_, {}))
      path.remove();
    if (!std::exchange(running_, false))
      return;
    for (const auto& worker : workers_)
      worker->stop();
    for (const auto& worker : workers_)
      worker->join();
  }

  const http_server_shared& shared() const { return *shared_; }
  const std::vector<std::uint16_t>& ports() const { return ports_; }

private:
  /// Every worker listens on a socket of its own; the kernel spreads the connections.
  caf::error listen_on(const tcp_endpoint& endpoint) {
    auto port = endpoint.port;
    for (const auto& worker : workers_) {
      const auto first = worker == workers_.front();
      auto socket = listen_tcp({endpoint.address, port}, shared_->options.listen_backlog, first);
      if (!socket)
        return socket.error();
      port = socket->port;
      worker->listeners.push_back(std::make_shared<http_listener>(*worker, socket->descriptor));
    }
    ports_.push_back(port);
    return caf::none;
  }

  /// All workers accept from one socket: unix sockets cannot be spread.
  caf::error listen_on(const std::string& path) {
    auto socket = listen_unix(path, shared_->options.listen_backlog);
    if (!socket)
      return socket.error();
    paths_.push_back(socket->path);
    auto descriptor = socket->descriptor;
    for (const auto& worker : workers_) {
      const auto last = worker == workers_.back();
      const auto own = last ? descriptor : ::dup(descriptor);
      worker->listeners.push_back(std::make_shared<http_listener>(*worker, own));
    }
    return caf::none;
  }

  std::shared_ptr<http_server_shared> shared_;
  std::vector<std::shared_ptr<http_worker>> workers_;
  std::vector<std::uint16_t> ports_;
  std::vector<socket_path> paths_;
  bool running_ = false;
};

caf::expected<std::unique_ptr<http_server>> http_server::start(http_server_options options,
                                                               http_handler handler) {
  if (auto failure = check(options))
    return failure;
  auto proxies = trusted_proxies::parse(options.trusted_proxies);
  if (!proxies)
    return proxies.error();
  auto shared = std::make_shared<http_server_shared>(std::move(options), std::move(handler),
                                                     std::move(*proxies));
  if (!shared->options.tls_certificate_file.empty()) {
    shared->tls.emplace(boost::asio::ssl::context::tls_server);
    if (auto failure = load_tls(*shared->tls, shared->options))
      return failure;
  }
  auto inner = std::make_unique<impl>(std::move(shared));
  if (auto failure = inner->open_listeners())
    return failure;
  inner->run();
  return std::unique_ptr<http_server>{new http_server{std::move(inner)}};
}

http_server::http_server(std::unique_ptr<impl> inner) : impl_{std::move(inner)} {}

http_server::~http_server() = default;

const std::vector<std::uint16_t>& http_server::ports() const {
  return impl_->ports();
}

void http_server::stop_accepting() {
  impl_->stop_accepting();
}

bool http_server::drain(std::chrono::nanoseconds limit) {
  return impl_->drain(limit);
}

void http_server::stop() {
  impl_->stop();
}

http_server_counters http_server::counters() const {
  const auto& shared = impl_->shared();
  return {.accepted = shared.accepted,
          .refused_connections = shared.refused_connections,
          .requests = shared.requests,
          .bad_requests = shared.bad_requests,
          .timeouts = shared.timeouts,
          .accept_pauses = shared.accept_pauses,
          .open_connections = shared.census.open()};
}

} // namespace trunkline
