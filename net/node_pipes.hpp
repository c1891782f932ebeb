/// The TLS connections between the nodes of a cluster, and nobody else.
///
/// Both sides prove their names with certificates of a CA that is the cluster's own; TLS 1.3 alone,
/// nothing is resumed. Each connection that stands is given away as one end of a pair of local
/// sockets; what is written there comes out at the peer. One thread; it takes no signals, and all
/// callbacks run on it: they must not block, not throw, and not destroy the pipes.
///
/// A pipe ends when either descriptor is closed; what was written before still arrives if the peer
/// takes it within `end_limit`. It also ends when a peer is silent for `silence_limit` though it
/// should answer: a peer that takes no bytes for so long counts as gone.
///
/// Where two nodes dial each other at the same moment, each may end the pipe that the other keeps:
/// of two nodes one should dial.
#pragma once

#include "protocol/time.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace trunkline {

/// PEM files.
struct node_pipe_files {
  std::string certificate; ///< The node's own first, then what leads to the authority.
  std::string key;         ///< Without a passphrase; only its owner may read it.
  std::string authority;   ///< The cluster's own CA, or several while one replaces another.
  std::string revoked;     ///< Lists of revoked certificates (CRL); "": none.
};

/// A connection that stands.
struct opened_pipe {
  std::string peer;
  bool dialled = false; ///< By this node.
  int descriptor = -1;  ///< Non-blocking; belongs to whoever is told.
};

/// Looks at what comes from a peer before anybody else does; returns false to end the pipe. Called
/// with each chunk in order; the chunk it refuses is passed on to nobody.
using pipe_guard = std::function<bool(std::string_view)>;

struct node_pipe_limits {
  std::size_t pipes_max = 256;
  std::size_t dials_max = 256;                 ///< Under way.
  std::size_t handshakes_max = 64;             ///< Of accepted connections, at once; past it
  std::size_t handshakes_per_address_max = 8;  ///< the oldest one makes room.
  std::size_t addresses_max = 8;               ///< Of one name, tried one after the other.
  std::size_t buffer_bytes = 64 * 1024;        ///< Per pipe and direction.
  std::size_t certificate_bytes_max = 1 << 20; ///< Of one file.
  /// From the look-up of the name, or the accept, until the pipe stands.
  std::chrono::nanoseconds handshake_limit = std::chrono::seconds{5};
  std::chrono::nanoseconds silence_limit = std::chrono::seconds{5};
  std::chrono::nanoseconds end_limit = std::chrono::seconds{5};
  std::chrono::nanoseconds expiry_look = std::chrono::seconds{15}; ///< How often.
  std::chrono::nanoseconds accept_pause = std::chrono::milliseconds{100};
};

struct node_pipe_options {
  std::string name;   ///< Of this node; its own certificate carries it as the first DNS name.
  std::string listen; ///< "address:port", an IPv6 address in brackets; port 0: any.
  node_pipe_files files;
  /// Tells whether a peer that proved this name may open a pipe to us; empty: none may.
  std::function<bool(std::string_view peer)> may_enter;
  std::function<void(opened_pipe)> opened;
  /// A pipe that was opened is over, and its descriptor at its end.
  std::function<void(std::string_view peer, const caf::error& why)> closed;
  /// A dial came to nothing.
  std::function<void(std::string_view peer, const caf::error& why)> failed;
  /// Somebody was not let in: as often as they try.
  std::function<void(std::string_view from_address, const caf::error& why)> refused;
  std::function<pipe_guard()> make_guard; ///< One per pipe; may be empty.
  wall_clock now;                         ///< Empty: the system's.
  node_pipe_limits limits = {};
};

class node_pipes {
public:
  /// Fails with `errc::config_invalid` (`errc::insecure` for a key that others can read), naming
  /// the file and what to do; `errc::unavailable` when nobody can listen there.
  static caf::expected<std::unique_ptr<node_pipes>> start(node_pipe_options options);

  node_pipes(const node_pipes&) = delete;
  node_pipes& operator=(const node_pipes&) = delete;

  /// Ends every pipe and dial, telling so, and joins the thread.
  ~node_pipes();

  std::uint16_t port() const;

  /// Opens a pipe to `peer` at "host:port", a name or an address (IPv6 in brackets). Exactly one of
  /// `opened` and `failed` follows, never before this returns on another thread. Names are looked
  /// up as they are, without the system's search list. Any thread.
  void dial(std::string peer, std::string address);

  /// Ends the pipe with `peer` at once, if there is one. Any thread.
  void close(std::string peer);

  /// Reads the files anew. They judge every handshake that ends after this returns; pipes whose
  /// peers they would not let in end, all others go on. When something is wrong with the files
  /// nothing changes. Any thread; waits for the pipes' own.
  caf::error reload();

private:
  class impl;
  explicit node_pipes(std::unique_ptr<impl> inner);
  std::unique_ptr<impl> impl_;
};

} // namespace trunkline
