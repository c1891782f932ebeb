#include "net/listening_socket.hpp"

#include "net/trusted_proxies.hpp"

#include "protocol/errc.hpp"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace trunkline {

namespace {

/// A descriptor that is closed unless it is given away.
class open_socket {
public:
  explicit open_socket(int family)
      : descriptor_{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {}
  open_socket(const open_socket&) = delete;
  open_socket& operator=(const open_socket&) = delete;
  ~open_socket() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  int get() const { return descriptor_; }
  int give() { return std::exchange(descriptor_, -1); }

private:
  int descriptor_;
};

struct socket_address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

caf::error failed(const std::string& where) {
  return make_error(errc::unavailable, where + ": " + std::strerror(errno));
}

std::optional<socket_address> address_of(const tcp_endpoint& endpoint) {
  const auto ip = parse_ip(endpoint.address);
  if (!ip)
    return std::nullopt;
  socket_address address;
  if (endpoint.address.find(':') == std::string::npos) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, ip->data() + 12, 4);
    address.bytes = sizeof v4;
    return address;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.port);
  std::memcpy(&v6.sin6_addr, ip->data(), 16);
  address.bytes = sizeof v6;
  return address;
}

void set_option(int descriptor, int level, int option) {
  const int on = 1;
  setsockopt(descriptor, level, option, &on, sizeof on);
}

std::uint16_t port_of(int descriptor) {
  sockaddr_storage bound{};
  socklen_t bytes = sizeof bound;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &bytes);
  // The port lies at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

bool is_bindable(const socket_address& address) {
  const open_socket probe{address.storage.ss_family};
  set_option(probe.get(), SOL_SOCKET, SO_REUSEADDR);
  if (address.storage.ss_family == AF_INET6)
    set_option(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  return ::bind(probe.get(), address.get(), address.bytes) == 0;
}

/// Removes the socket file of a process that is gone.
caf::error clear_stale(const std::string& path, const socket_address& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0)
    return caf::none;
  if (!S_ISSOCK(found.st_mode))
    return make_error(errc::unavailable, path + ": exists and is no socket");
  const open_socket probe{AF_UNIX};
  if (::connect(probe.get(), address.get(), address.bytes) == 0 || errno != ECONNREFUSED)
    return make_error(errc::unavailable, path + ": another process listens there");
  ::unlink(path.c_str());
  return caf::none;
}

} // namespace

void socket_path::remove() const {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && found.st_dev == device && found.st_ino == inode)
    ::unlink(path.c_str());
}

caf::expected<listening_tcp> listen_tcp(const tcp_endpoint& endpoint, int backlog, bool alone) {
  const auto where = endpoint.address + ":" + std::to_string(endpoint.port);
  const auto address = address_of(endpoint);
  if (!address)
    return make_error(errc::config_invalid, where + ": not a numeric address");
  if (alone && endpoint.port != 0 && !is_bindable(*address))
    return failed(where);
  open_socket socket{address->storage.ss_family};
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT);
  if (address->storage.ss_family == AF_INET6)
    set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (::bind(socket.get(), address->get(), address->bytes) != 0 ||
      ::listen(socket.get(), backlog) != 0)
    return failed(where);
  const auto port = port_of(socket.get());
  return listening_tcp{socket.give(), port};
}

caf::expected<listening_unix> listen_unix(const std::string& path, int backlog) {
  socket_address address;
  auto& name = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof name.sun_path)
    return make_error(errc::config_invalid, path + ": a socket's path has 1 to 107 bytes");
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, path.size());
  address.bytes = sizeof name;
  if (auto failure = clear_stale(path, address))
    return failure;
  open_socket socket{AF_UNIX};
  // The mode of the socket becomes that of the file: it is never open to others, not even briefly.
  if (::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), address.get(), address.bytes) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(socket.get(), backlog) != 0)
    return failed(path);
  struct stat made {};
  ::lstat(path.c_str(), &made);
  return listening_unix{socket.give(), {path, made.st_dev, made.st_ino}};
}

} // namespace trunkline
