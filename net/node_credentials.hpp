/// INTERNAL to net: what a node proves its name with, and by what it judges other nodes.
///
/// Certificate, key, the cluster's own CA and its list of revoked certificates, read together and
/// checked together. Immutable; any thread.
#pragma once

#include "net/node_pipes.hpp"
#include "protocol/time.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

namespace trunkline {

/// Tells whether a peer of this name is wanted; without a name it has none that a node can have.
/// Asked within the handshake, so that the other side learns of a refusal there.
using name_judge = std::function<bool(const std::optional<std::string>& name)>;

enum class pipe_side : std::uint8_t { dials, accepts };

class node_credentials {
public:
  /// Reads the files of node `name`. Fails with `errc::config_invalid`, or `errc::insecure` for a
  /// key that others can read, naming the file and what to do.
  static caf::expected<std::shared_ptr<const node_credentials>> read(const node_pipe_files& files,
                                                                     const std::string& name,
                                                                     std::size_t file_bytes_max,
                                                                     time_point now);

  node_credentials(const node_credentials&) = delete;
  node_credentials& operator=(const node_credentials&) = delete;
  ~node_credentials();

  /// Returns one side of a connection, before its handshake; the caller owns it, and `judge` must
  /// outlive the handshake. Null without memory.
  ssl_st* open(pipe_side side, const name_judge& judge, time_point now) const;

  /// Tells why the peer of a connection that stands would not be let in today, nothing if it would.
  std::optional<std::string> find_fault(ssl_st* ssl, time_point now) const;

  /// When the first certificate of the own chain ends.
  time_point valid_until() const { return valid_until_; }

private:
  node_credentials(ssl_ctx_st* context, time_point valid_until)
      : context_{context}, valid_until_{valid_until} {}

  ssl_ctx_st* context_;
  time_point valid_until_;
};

/// Returns the name of the node that a certificate is for, its first DNS name; nothing when there
/// is none, or it is none that a node can have.
std::optional<std::string> node_name_of(x509_st* certificate);

/// Returns when the first certificate of the peer's chain ends.
time_point peer_valid_until(ssl_st* ssl);

} // namespace trunkline
