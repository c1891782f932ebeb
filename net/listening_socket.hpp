/// INTERNAL to net: opens the sockets that a server listens on.
#pragma once

#include "net/http_server.hpp"

#include <caf/expected.hpp>

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace trunkline {

/// A socket file, known by its inode, so that nobody removes the file of a successor.
struct socket_path {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;

  /// Removes the file if it is still the one that was made.
  void remove() const;
};

struct listening_tcp {
  int descriptor = -1;
  std::uint16_t port = 0;
};

struct listening_unix {
  int descriptor = -1;
  socket_path path;
};

/// Listens on `endpoint`, non-blocking, with SO_REUSEPORT. `alone`: fails when anybody listens
/// there already, who with SO_REUSEPORT would share the connections unnoticed. Fails with
/// `errc::config_invalid` for an address that is none, else `errc::unavailable`.
caf::expected<listening_tcp> listen_tcp(const tcp_endpoint& endpoint, int backlog, bool alone);

/// Listens on the unix socket `path`, mode 0600. A file that nobody listens on is replaced; one
/// that somebody does, or that is no socket, is an error.
caf::expected<listening_unix> listen_unix(const std::string& path, int backlog);

} // namespace trunkline
