#include "net/pipe_listener.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

namespace trunkline {

namespace {

/// Connections taken between two looks at the other work of the thread.
constexpr int accepts_in_a_row_max = 16;
constexpr std::size_t v4_begin = 12;

ip_bytes bytes_of(const sockaddr_storage& address) {
  ip_bytes ip{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.ss_family == AF_INET)
    std::memcpy(ip.data() + v4_begin, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  else
    std::memcpy(ip.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, ip.size());
  return ip;
}

bool is_want_of_room(int failure) {
  return failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM;
}

} // namespace

pipe_listener::pipe_listener(boost::asio::io_context& loop, int descriptor,
                             std::chrono::nanoseconds pause, accept_handler accepted)
    : socket_{loop, descriptor}, timer_{loop}, pause_{pause}, accepted_{std::move(accepted)} {}

void pipe_listener::start() {
  socket_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](boost::system::error_code failure) {
                       if (!failure && self->socket_.is_open())
                         self->accept_some();
                     });
}

void pipe_listener::stop() {
  boost::system::error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
}

void pipe_listener::accept_some() {
  for (int taken = 0; taken < accepts_in_a_row_max; ++taken) {
    sockaddr_storage address{};
    socklen_t bytes = sizeof address;
    const auto descriptor =
        ::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&address), &bytes,
                  SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      accepted_(descriptor, bytes_of(address));
      continue;
    }
    if (is_want_of_room(errno))
      return stand_still();
    if (errno != EINTR && errno != ECONNABORTED)
      break;
  }
  start();
}

void pipe_listener::stand_still() {
  timer_.expires_after(pause_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code failure) {
    if (!failure && self->socket_.is_open())
      self->accept_some();
  });
}

} // namespace trunkline
