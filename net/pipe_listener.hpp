/// INTERNAL to net: accepts connections of other nodes, and keeps calm without file descriptors.
///
/// Belongs to the pipes' thread. When nothing can be accepted for want of descriptors or memory it
/// stands still for a moment instead of spinning.
#pragma once

#include "protocol/ip_address.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace trunkline {

class pipe_listener : public std::enable_shared_from_this<pipe_listener> {
public:
  /// Takes over the descriptor of a new connection, which is non-blocking.
  using accept_handler = std::function<void(int descriptor, const ip_bytes& from)>;

  /// Takes over `descriptor`, a listening non-blocking socket.
  pipe_listener(boost::asio::io_context& loop, int descriptor, std::chrono::nanoseconds pause,
                accept_handler accepted);

  void start();
  void stop();

private:
  void accept_some();
  void stand_still();

  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  const std::chrono::nanoseconds pause_;
  const accept_handler accepted_;
};

} // namespace trunkline
