/// INTERNAL to net: carries bytes between a peer's TLS connection and the local end of a pipe.
///
/// Each way has one buffer and reads nothing more before that is empty. When the local side has
/// ended, what it wrote is still sent, for `end_limit` at most; when the peer has, all that came
/// from it is in the local socket already. Belongs to the pipes' thread.
#pragma once

#include "net/node_pipes.hpp"
#include "net/pipe_stream.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace trunkline {

/// What has been read and not yet written.
struct pump_buffer {
  explicit pump_buffer(std::size_t bytes) : room(bytes) {}

  bool is_empty() const { return begin == end; }
  std::string_view rest() const { return {room.data() + begin, end - begin}; }

  std::vector<char> room;
  std::size_t begin = 0;
  std::size_t end = 0;
};

class pipe_pump : public std::enable_shared_from_this<pipe_pump> {
public:
  /// Called once, when both descriptors are closed.
  using end_handler = std::function<void(pipe_pump& ended, const caf::error& why)>;

  /// `local` is this side's end of the pair of sockets, non-blocking, and belongs to the pump.
  pipe_pump(boost::asio::io_context& loop, std::unique_ptr<pipe_stream> stream, int local,
            const node_pipe_limits& limits);
  pipe_pump(const pipe_pump&) = delete;
  pipe_pump& operator=(const pipe_pump&) = delete;
  ~pipe_pump();

  void start(pipe_guard guard, end_handler ended);

  /// Closes at once. May be called again.
  void stop(caf::error why);

  /// The connection, until the pump has ended.
  ssl_st* ssl() const { return stream_->ssl(); }

private:
  enum class wait : std::uint8_t { peer_read, peer_write, local_read, local_write, turn, nothing };
  using step = wait (pipe_pump::*)();

  void drive(step way);
  wait move_in();
  wait move_out();
  wait fetch();
  wait deliver();
  wait collect();
  wait send_on();
  wait end_locally();
  void begin_end();
  void watch_local();
  void watch_peer();

  boost::asio::io_context& loop_;
  std::unique_ptr<pipe_stream> stream_;
  boost::asio::posix::stream_descriptor local_;
  boost::asio::steady_timer end_timer_;
  const std::chrono::nanoseconds end_limit_;
  pump_buffer in_;
  pump_buffer out_;
  pipe_guard guard_;
  end_handler ended_;
  bool local_ended_ = false; ///< What still comes from the peer is for nobody.
  bool is_ending_ = false;
  bool is_over_ = false;
};

} // namespace trunkline
