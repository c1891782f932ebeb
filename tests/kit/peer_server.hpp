/// Another server as raw bytes: each connection runs a script on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace trunkline::kit {

/// One accepted connection; its script blocks on it. All fails once the server stops.
class peer_connection {
public:
  peer_connection(int descriptor, ssl_st* ssl) : descriptor_{descriptor}, ssl_{ssl} {}

  /// Reads one request, its body by Content-Length; "" when the client is gone.
  std::string read_request();

  bool send(std::string_view bytes);

  /// Returns once the client is gone.
  void wait_for_end();

  /// Asks for another handshake (TLS 1.2); false when the client would not.
  bool shake_again();

  /// Makes the end of the connection a reset; TLS says no goodbye.
  void reset_at_end();

  /// Ends what is sent without a goodbye of TLS.
  void cut();

  /// Waits a moment; false when the server stops.
  bool pause(int milliseconds) const;

  int descriptor() const { return descriptor_; }

private:
  std::size_t read(char* room, std::size_t bytes);

  int descriptor_;
  ssl_st* ssl_;
  std::string left_;
};

struct tls_files {
  std::string certificate; ///< PEM; "": no TLS.
  std::string key;
  int version_max = 0; ///< 0: the newest.
  std::string ciphers; ///< Of TLS 1.2, as OpenSSL lists them; "": its own.
};

class peer_server {
public:
  using script = std::function<void(peer_connection&)>;

  /// Listens on `address` (IPv4), on `port` or a free one.
  explicit peer_server(script play, const char* address = "127.0.0.1", std::uint16_t port = 0,
                       tls_files tls = {});
  peer_server(const peer_server&) = delete;
  peer_server& operator=(const peer_server&) = delete;
  ~peer_server();

  std::uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }
  std::string url(std::string_view target = "/", std::string_view host = "127.0.0.1") const;

private:
  void accept_all();
  void serve(int descriptor);

  script play_;
  ssl_ctx_st* context_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::vector<int> descriptors_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// Returns an answer with a Content-Length.
std::string answer(std::string_view body, std::string_view more_headers = "", int status = 200);

} // namespace trunkline::kit
