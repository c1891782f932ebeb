#include "net/client_connection.hpp"

#include "net/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline {

namespace {

using boost::system::error_code;
using wait_kind = boost::asio::posix::descriptor_base;

constexpr std::size_t v4_begin = 12;

struct socket_address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
};

socket_address address_of(const ip_bytes& ip, std::int64_t port) {
  socket_address address;
  const auto wire_port = htons(static_cast<std::uint16_t>(port));
  if (is_ipv4(ip)) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = wire_port;
    std::memcpy(&v4.sin_addr, ip.data() + v4_begin, 4);
    address.bytes = sizeof v4;
    return address;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = wire_port;
  std::memcpy(&v6.sin6_addr, ip.data(), ip.size());
  address.bytes = sizeof v6;
  return address;
}

bool would_block() {
  return errno == EAGAIN || errno == EINTR;
}

} // namespace

client_connection::client_connection(client_shared& shared, const host_address& host)
    : shared_{shared}, host_{host}, key_{host.scheme == "https" ? to_key(host) : ""},
      socket_{shared.loop} {}

client_connection::~client_connection() {
  close();
}

io_state client_connection::connect(const ip_bytes& ip) {
  close();
  const auto address = address_of(ip, host_.port);
  const auto descriptor =
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return io_state::failed;
  error_code failure;
  socket_.assign(descriptor, failure);
  if (failure) {
    ::close(descriptor);
    errno = failure.value();
    return io_state::failed;
  }
  ++shared_.counts.connections;
  ++shared_.counts.open_connections;
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.bytes) ==
      0)
    return io_state::done;
  if (errno != EINPROGRESS)
    return io_state::failed;
  await_write();
  return io_state::waits;
}

int client_connection::connect_failure() {
  int failure = 0;
  socklen_t bytes = sizeof failure;
  if (getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &failure, &bytes) != 0)
    return errno;
  return failure;
}

io_state client_connection::shake_hands() {
  if (ssl_ == nullptr)
    ssl_ = shared_.tls->open(host_, key_, socket_.native_handle());
  if (ssl_ == nullptr) {
    failure_ = "no memory for TLS";
    return io_state::failed;
  }
  ERR_clear_error();
  const auto state = judge_tls(SSL_connect(ssl_));
  if (state == io_state::done && SSL_session_reused(ssl_) == 1)
    ++shared_.counts.resumed;
  if (state != io_state::failed && state != io_state::closed)
    return state;
  failure_ = tls_failure_of(ssl_);
  shared_.tls->forget(key_);
  return io_state::failed;
}

io_result client_connection::read(std::span<char> room) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const auto result = SSL_read_ex(ssl_, room.data(), room.size(), &bytes);
    return {judge_tls(result), bytes};
  }
  const auto bytes = ::recv(socket_.native_handle(), room.data(), room.size(), 0);
  if (bytes > 0)
    return {io_state::done, static_cast<std::size_t>(bytes)};
  if (bytes == 0)
    return {io_state::closed, 0};
  if (!would_block())
    return {io_state::failed, 0};
  await_read();
  return {io_state::waits, 0};
}

io_result client_connection::write(std::string_view bytes) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    std::size_t written = 0;
    const auto result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written);
    return {judge_tls(result), written};
  }
  const auto written = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (written >= 0)
    return {io_state::done, static_cast<std::size_t>(written)};
  if (!would_block())
    return {io_state::failed, 0};
  await_write();
  return {io_state::waits, 0};
}

io_state client_connection::judge_tls(int result) {
  if (result == 1)
    return io_state::done;
  switch (SSL_get_error(ssl_, result)) {
  case SSL_ERROR_WANT_READ:
    await_read();
    return io_state::waits;
  case SSL_ERROR_WANT_WRITE:
    await_write();
    return io_state::waits;
  case SSL_ERROR_ZERO_RETURN:
    return io_state::closed;
  default:
    is_broken_ = true;
    return io_state::failed;
  }
}

void client_connection::await_read() {
  if (std::exchange(awaits_read_, true))
    return;
  socket_.async_wait(wait_kind::wait_read, [self = shared_from_this()](error_code failure) {
    if (failure == boost::asio::error::operation_aborted)
      return;
    self->awaits_read_ = false;
    if (self->user_ != nullptr && self->socket_.is_open())
      self->user_->on_ready();
  });
}

void client_connection::await_write() {
  if (std::exchange(awaits_write_, true))
    return;
  socket_.async_wait(wait_kind::wait_write, [self = shared_from_this()](error_code failure) {
    if (failure == boost::asio::error::operation_aborted)
      return;
    self->awaits_write_ = false;
    if (self->user_ != nullptr && self->socket_.is_open())
      self->user_->on_ready();
  });
}

bool client_connection::is_quiet() {
  std::array<char, 1> byte;
  return socket_.is_open() && read(byte).state == io_state::waits;
}

/// Without a goodbye the peer cannot tell the end from a cut, and OpenSSL resumes no session.
void client_connection::say_goodbye() {
  if (is_broken_ || SSL_in_init(ssl_) == 1)
    return;
  ERR_clear_error();
  SSL_shutdown(ssl_); // what cannot be sent now is not
}

void client_connection::close() {
  if (ssl_ != nullptr) {
    say_goodbye();
    SSL_free(std::exchange(ssl_, nullptr));
  }
  awaits_read_ = awaits_write_ = is_broken_ = false;
  if (!socket_.is_open())
    return;
  --shared_.counts.open_connections;
  error_code ignored;
  socket_.close(ignored);
}

} // namespace trunkline
