/// INTERNAL to net: one connection to another server, in the clear or with TLS.
///
/// Nothing blocks: each call does what can be done now and says what it waits for; `on_ready` of
/// the user is called when that has come. Belongs to the client's thread.
#pragma once

#include "net/client_shared.hpp"
#include "protocol/host_address.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;

namespace trunkline {

/// Who is told that a connection can go on: an exchange, or the pool.
class connection_user {
public:
  connection_user() = default;
  connection_user(const connection_user&) = delete;
  connection_user& operator=(const connection_user&) = delete;
  virtual ~connection_user() = default;

  virtual void on_ready() = 0;
};

enum class io_state : std::uint8_t {
  done,
  waits,  ///< `on_ready` follows.
  closed, ///< The peer has ended it in good order.
  failed,
};

struct io_result {
  io_state state = io_state::failed;
  std::size_t bytes = 0;
};

class client_connection : public std::enable_shared_from_this<client_connection> {
public:
  client_connection(client_shared& shared, const host_address& host);
  client_connection(const client_connection&) = delete;
  client_connection& operator=(const client_connection&) = delete;
  ~client_connection();

  /// Sets who is told; null for nobody.
  void belongs_to(connection_user* user) { user_ = user; }

  /// Begins to connect; `errno` says why it failed.
  io_state connect(const ip_bytes& ip);

  /// Tells how the connect has ended; 0, or its errno.
  int connect_failure();

  /// Goes on with the handshake of TLS. `failure` says why it failed.
  io_state shake_hands();

  io_result read(std::span<char> room);
  io_result write(std::string_view bytes);

  /// Sees to it that `on_ready` is called when the peer sends or ends.
  void await_read();

  /// Tells whether nothing has come since the last answer: it can carry another request.
  bool is_quiet();

  void close();

  const host_address& host() const { return host_; }
  const std::string& failure() const { return failure_; }

private:
  void await_write();
  io_state judge_tls(int result);
  void say_goodbye();

  client_shared& shared_;
  const host_address host_;
  const std::string key_;
  boost::asio::posix::stream_descriptor socket_;
  ssl_st* ssl_ = nullptr;
  connection_user* user_ = nullptr;
  std::string failure_;
  bool awaits_read_ = false;
  bool awaits_write_ = false;
  bool is_broken_ = false; ///< TLS failed: nothing more may be said.
};

} // namespace trunkline
