/// INTERNAL to net: TLS on one socket between two nodes.
///
/// Nothing blocks: each call does what can be done now and says what it waits for. Belongs to the
/// pipes' thread.
#pragma once

#include "net/client_connection.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;

namespace trunkline {

struct stream_result {
  io_state state = io_state::failed;
  std::size_t bytes = 0;
  bool wants_write = false; ///< When it waits: for room, not for bytes.
};

class pipe_stream {
public:
  /// Takes over `descriptor`, a connected non-blocking TCP socket, and the SSL that is to use it.
  pipe_stream(boost::asio::io_context& loop, int descriptor, ssl_st* ssl);
  pipe_stream(const pipe_stream&) = delete;
  pipe_stream& operator=(const pipe_stream&) = delete;

  /// Says goodbye, if that can be done at once, and closes.
  ~pipe_stream();

  stream_result shake_hands();
  stream_result read(std::span<char> room);
  stream_result write(std::string_view bytes);

  /// Nothing is written after this; reading goes on.
  void end_writing();

  /// Why something failed, in words.
  const std::string& failure() const { return failure_; }

  ssl_st* ssl() const { return ssl_; }
  boost::asio::posix::stream_descriptor& socket() { return socket_; }

private:
  stream_result judge(int result, std::size_t bytes);
  void say_goodbye();

  boost::asio::posix::stream_descriptor socket_;
  ssl_st* ssl_;
  std::string failure_;
  bool is_broken_ = false; ///< TLS failed: nothing more may be said.
  bool has_ended_ = false;
};

/// Sees to it that a peer which vanishes without a word is noticed within about `silence_limit`.
void watch_silence(int descriptor, std::chrono::nanoseconds silence_limit);

} // namespace trunkline
