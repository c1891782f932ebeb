#include "net/http_listener.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trunkline {

namespace {

/// Connections taken between two looks at the other work of the thread.
constexpr int accept_burst_max = 64;

constexpr std::string_view turned_away =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\n"
    "Retry-After: 5\r\nContent-Length: 32\r\nConnection: close\r\n\r\n"
    R"({"error":"Too many connections"})";

int open_spare() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

ip_bytes address_of(const sockaddr_storage& address) {
  ip_bytes ip{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.ss_family == AF_INET)
    std::memcpy(ip.data() + 12, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  else
    std::memcpy(ip.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  return ip;
}

std::uint32_t uid_of(int descriptor) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  const auto failed = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0;
  return failed ? UINT32_MAX : peer.uid;
}

/// Descriptors are given lowest first: one near the limit means that few are left.
bool is_near_limit(int descriptor, std::size_t reserved) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return false;
  return static_cast<rlim_t>(descriptor) + reserved >= limit.rlim_cur;
}

bool is_want_of_descriptors(int failure) {
  return failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM;
}

} // namespace

http_listener::http_listener(http_worker& worker, int descriptor)
    : worker_{worker}, socket_{worker.loop, descriptor}, timer_{worker.loop}, spare_{open_spare()} {
}

http_listener::~http_listener() {
  if (spare_ >= 0)
    ::close(spare_);
}

void http_listener::start() {
  socket_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](boost::system::error_code failure) {
                       if (!failure && self->socket_.is_open())
                         self->accept_some();
                     });
}

void http_listener::accept_some() {
  for (int taken = 0; taken < accept_burst_max; ++taken) {
    if (accept_one())
      continue;
    if (!is_want_of_descriptors(errno))
      break;
    return pause();
  }
  start();
}

/// Returns false with `errno` set when nothing more can be accepted now.
bool http_listener::accept_one() {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  const auto descriptor = ::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&address),
                                    &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0)
    return errno == EINTR || errno == ECONNABORTED;
  serve(descriptor, &address, address.ss_family);
  return true;
}

void http_listener::serve(int descriptor, const void* address, int family) {
  auto& shared = *worker_.shared;
  const auto is_unix = family == AF_UNIX;
  const auto ip = is_unix ? ip_bytes{} : address_of(*static_cast<const sockaddr_storage*>(address));
  const auto* peer = is_unix || shared.proxies.covers(ip) ? nullptr : &ip;
  if (is_near_limit(descriptor, shared.options.descriptors_reserved) || !shared.census.enter(peer))
    return turn_away(descriptor);
  ++shared.accepted;
  if (!is_unix) {
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  open_connection(worker_, descriptor, family, is_unix ? nullptr : &ip,
                  is_unix ? uid_of(descriptor) : UINT32_MAX);
}

void http_listener::turn_away(int descriptor) {
  ++worker_.shared->refused_connections;
  if (!worker_.shared->tls) [[maybe_unused]]
    const auto sent =
        ::send(descriptor, turned_away.data(), turned_away.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::close(descriptor);
}

void http_listener::pause() {
  ++worker_.shared->accept_pauses;
  if (spare_ >= 0) {
    ::close(spare_);
    for (int taken = 0; taken < accept_burst_max; ++taken) {
      const auto descriptor =
          ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0)
        break;
      turn_away(descriptor);
    }
    spare_ = open_spare();
  }
  timer_.expires_after(worker_.shared->options.accept_pause);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code failure) {
    if (!failure && self->socket_.is_open())
      self->accept_some();
  });
}

void http_listener::close() {
  for (int taken = 0; taken < worker_.shared->options.listen_backlog && accept_one(); ++taken) {
  }
  abort();
}

void http_listener::abort() {
  boost::system::error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
}

} // namespace trunkline
