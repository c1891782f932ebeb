#include "tests/kit/peer_server.hpp"

#include <openssl/ssl.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline::kit {

std::size_t peer_connection::read(char* room, std::size_t bytes) {
  const auto got = ssl_ != nullptr ? SSL_read(ssl_, room, static_cast<int>(bytes))
                                   : static_cast<int>(::recv(descriptor_, room, bytes, 0));
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::string peer_connection::read_request() {
  std::array<char, 16384> part;
  for (;;) {
    if (const auto end = left_.find("\r\n\r\n"); end != std::string::npos) {
      std::size_t body = 0;
      if (const auto at = left_.find("Content-Length: "); at < end)
        body = std::strtoul(left_.c_str() + at + 16, nullptr, 10);
      if (left_.size() >= end + 4 + body) {
        auto request = left_.substr(0, end + 4 + body);
        left_.erase(0, request.size());
        return request;
      }
    }
    const auto got = read(part.data(), part.size());
    if (got == 0)
      return "";
    left_.append(part.data(), got);
  }
}

bool peer_connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent =
        ssl_ != nullptr
            ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
            : static_cast<int>(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void peer_connection::wait_for_end() {
  std::array<char, 16384> bin;
  while (read(bin.data(), bin.size()) > 0) {
  }
}

bool peer_connection::shake_again() {
  const auto proof = [this] {
    std::array<char, 64> bytes;
    return std::string(bytes.data(), SSL_get_peer_finished(ssl_, bytes.data(), bytes.size()));
  };
  const auto before = proof();
  SSL_renegotiate(ssl_);
  SSL_do_handshake(ssl_);
  char answer = 0;
  read(&answer, 1); // which takes what the client says to it
  return proof() != before;
}

void peer_connection::reset_at_end() {
  if (ssl_ != nullptr)
    SSL_set_quiet_shutdown(ssl_, 1);
  const linger at_once{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void peer_connection::cut() {
  ::shutdown(descriptor_, SHUT_WR);
}

bool peer_connection::pause(int milliseconds) const {
  pollfd end{descriptor_, POLLRDHUP, 0};
  return ::poll(&end, 1, milliseconds) == 0;
}

peer_server::peer_server(script play, const char* address, std::uint16_t port, tls_files tls)
    : play_{std::move(play)} {
  if (!tls.certificate.empty()) {
    std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    if (tls.version_max != 0)
      SSL_CTX_set_max_proto_version(context_, tls.version_max);
    if (!tls.ciphers.empty())
      SSL_CTX_set_cipher_list(context_, tls.ciphers.c_str());
    SSL_CTX_use_certificate_chain_file(context_, tls.certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context_, tls.key.c_str(), SSL_FILETYPE_PEM);
  }
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  inet_pton(AF_INET, address, &where.sin_addr);
  socklen_t bytes = sizeof where;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&where), bytes) != 0 ||
      ::listen(listener_, 512) != 0)
    throw std::runtime_error{"the peer cannot listen"};
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &bytes);
  port_ = ntohs(where.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

peer_server::~peer_server() {
  stopped_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock{mutex_};
    for (const auto descriptor : descriptors_)
      ::shutdown(descriptor, SHUT_RDWR);
  }
  for (auto& thread : threads_)
    thread.join();
  if (context_ != nullptr)
    SSL_CTX_free(context_);
}

std::string peer_server::url(std::string_view target, std::string_view host) const {
  return std::string{context_ != nullptr ? "https://" : "http://"}.append(host) + ":" +
         std::to_string(port_) + std::string{target};
}

void peer_server::accept_all() {
  while (!stopped_) {
    const auto descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0)
      return;
    const int on = 1; // small writes in a row would wait for each other
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++accepted_;
    const std::lock_guard lock{mutex_};
    descriptors_.push_back(descriptor);
    threads_.emplace_back([this, descriptor] { serve(descriptor); });
  }
}

void peer_server::serve(int descriptor) {
  SSL* ssl = nullptr;
  auto ready = true;
  if (context_ != nullptr) {
    ssl = SSL_new(context_);
    SSL_set_fd(ssl, descriptor);
    ready = SSL_accept(ssl) == 1;
  }
  if (ready) {
    peer_connection connection{descriptor, ssl};
    play_(connection);
    if (ssl != nullptr)
      SSL_shutdown(ssl);
  }
  if (ssl != nullptr)
    SSL_free(ssl);
  const std::lock_guard lock{mutex_};
  std::erase(descriptors_, descriptor);
  ::close(descriptor);
}

std::string answer(std::string_view body, std::string_view more_headers, int status) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string{more_headers} +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

} // namespace trunkline::kit
