#include "net/pipe_stream.hpp"

#include "net/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace trunkline {

namespace {

void set_number(int descriptor, int level, int option, int value) {
  setsockopt(descriptor, level, option, &value, sizeof value);
}

/// Why the last call failed; `fault` is the errno that it left.
std::string words_of(SSL* ssl, int fault) {
  const auto last = ERR_peek_last_error();
  if (ERR_GET_REASON(last) == SSL_R_UNEXPECTED_EOF_WHILE_READING || (last == 0 && fault == 0))
    return "the connection was cut";
  if (last == 0)
    return std::generic_category().message(fault);
  return tls_failure_of(ssl);
}

} // namespace

pipe_stream::pipe_stream(boost::asio::io_context& loop, int descriptor, ssl_st* ssl)
    : socket_{loop, descriptor}, ssl_{ssl} {
  SSL_set_fd(ssl_, descriptor);
}

pipe_stream::~pipe_stream() {
  say_goodbye();
  SSL_free(ssl_);
}

stream_result pipe_stream::shake_hands() {
  ERR_clear_error();
  return judge(SSL_do_handshake(ssl_), 0);
}

stream_result pipe_stream::read(std::span<char> room) {
  ERR_clear_error();
  std::size_t bytes = 0;
  const auto result = SSL_read_ex(ssl_, room.data(), room.size(), &bytes);
  return judge(result, bytes);
}

stream_result pipe_stream::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t written = 0;
  const auto result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written);
  return judge(result, written);
}

void pipe_stream::end_writing() {
  say_goodbye();
  ::shutdown(socket_.native_handle(), SHUT_WR);
}

stream_result pipe_stream::judge(int result, std::size_t bytes) {
  const auto fault = errno; // of the last call to the system, if that is what failed
  if (result == 1)
    return {io_state::done, bytes};
  switch (SSL_get_error(ssl_, result)) {
  case SSL_ERROR_WANT_READ:
    return {io_state::waits};
  case SSL_ERROR_WANT_WRITE:
    return {.state = io_state::waits, .wants_write = true};
  case SSL_ERROR_ZERO_RETURN:
    return {io_state::closed};
  default:
    is_broken_ = true;
    failure_ = words_of(ssl_, fault);
    ERR_clear_error();
    return {io_state::failed};
  }
}

/// Without a goodbye the peer cannot tell the end from a cut.
void pipe_stream::say_goodbye() {
  if (std::exchange(has_ended_, true) || is_broken_ || SSL_in_init(ssl_) == 1)
    return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

void watch_silence(int descriptor, std::chrono::nanoseconds silence_limit) {
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(silence_limit);
  const auto seconds = std::max<int>(1, static_cast<int>(limit.count() / 1'000));
  set_number(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_number(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  // Asked after half of the time without a word, then every second until the limit is over.
  set_number(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, std::max(1, seconds / 2));
  set_number(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_number(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(limit.count()));
}

} // namespace trunkline
