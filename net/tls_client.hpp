/// INTERNAL to net: TLS towards other servers, and the sessions that may be resumed.
///
/// Certificates are verified, names included; TLS 1.2 and later. Belongs to the client's thread.
#pragma once

#include "protocol/host_address.hpp"

#include <caf/expected.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace trunkline {

class tls_client {
public:
  /// `ca_file`: PEM, "" for the system's. Fails with `errc::config_invalid`.
  static caf::expected<std::unique_ptr<tls_client>> make(const std::string& ca_file,
                                                         std::size_t sessions_max);

  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;
  ~tls_client();

  /// Returns the client side of a connection on `descriptor`, before its handshake; the caller owns
  /// it and the text `key`, which must outlive it. Null without memory.
  ssl_st* open(const host_address& host, const std::string& key, int descriptor);

  /// Forgets the session of `key`: it did no good.
  void forget(const std::string& key);

private:
  struct kept_session {
    std::string key;
    ssl_session_st* session = nullptr;
  };
  using session_list = std::list<kept_session>;

  tls_client(ssl_ctx_st* context, std::size_t sessions_max);
  static int on_new_session(ssl_st* ssl, ssl_session_st* session);
  void keep(const std::string& key, ssl_session_st* session);
  void resume(const std::string& key, ssl_st* ssl);

  ssl_ctx_st* context_;
  std::size_t sessions_max_;
  session_list sessions_; ///< The last used first.
  std::unordered_map<std::string, session_list::iterator> by_key_;
};

/// Returns why a handshake on `ssl` failed, in words.
std::string tls_failure_of(ssl_st* ssl);

} // namespace trunkline
