#include "tests/kit/raw_tls.hpp"

#include <openssl/ssl.h>

#include <array>
#include <csignal>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline::kit {

namespace {

sockaddr_in local(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void limit_reading(int socket) {
  const timeval limit{60, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

int any_certificate(int, X509_STORE_CTX*) {
  return 1;
}

} // namespace

raw_tls::raw_tls(const tls_files& own, int version_max) : context_{SSL_CTX_new(TLS_method())} {
  ::signal(SIGPIPE, SIG_IGN);
  SSL_CTX_set_max_proto_version(context_, version_max);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, any_certificate);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT);
  if (own.certificate.empty())
    return;
  SSL_CTX_use_certificate_file(context_, own.certificate.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(context_, own.key.c_str(), SSL_FILETYPE_PEM);
}

raw_tls::~raw_tls() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  for (const auto descriptor : {socket_, listener_})
    if (descriptor >= 0)
      ::close(descriptor);
}

bool raw_tls::dial(std::uint16_t port, std::string_view early) {
  return connect(port) && shake_hands(early);
}

bool raw_tls::connect(std::uint16_t port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  limit_reading(socket_);
  const auto address = local(port);
  return ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool raw_tls::shake_hands(std::string_view early) {
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, socket_);
  // Held back until it is let go: what follows leaves together with the end of the handshake.
  int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  const auto finished = SSL_connect(ssl_) == 1;
  if (finished && !early.empty())
    send(early);
  on = 0;
  setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  return finished;
}

std::uint16_t raw_tls::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = local(0);
  socklen_t bytes = sizeof address;
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), bytes);
  ::listen(listener_, 8);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &bytes);
  return ntohs(address.sin_port);
}

bool raw_tls::accept() {
  socket_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  limit_reading(socket_);
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, socket_);
  return SSL_accept(ssl_) == 1;
}

bool raw_tls::send(std::string_view bytes) {
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

std::string raw_tls::read(std::size_t bytes) {
  std::string text;
  std::array<char, 16'384> part;
  while (text.size() < bytes) {
    const auto got = SSL_read(ssl_, part.data(), static_cast<int>(part.size()));
    if (got <= 0)
      break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

void raw_tls::cut() {
  ::close(std::exchange(socket_, -1));
}

bool raw_tls::has_session() const {
  return SSL_SESSION_is_resumable(SSL_get0_session(ssl_)) == 1;
}

} // namespace trunkline::kit
