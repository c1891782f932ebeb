/// INTERNAL to net: accepts connections for one worker, and keeps calm without file descriptors.
///
/// Belongs to the worker's thread. At the limit of descriptors it stands still for
/// `options.accept_pause` instead of spinning, and turns away with a descriptor kept for that.
#pragma once

#include "net/http_worker.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace trunkline {

class http_listener : public std::enable_shared_from_this<http_listener> {
public:
  /// Takes over `descriptor`, a listening non-blocking socket.
  http_listener(http_worker& worker, int descriptor);
  http_listener(const http_listener&) = delete;
  http_listener& operator=(const http_listener&) = delete;
  ~http_listener();

  void start();

  /// Accepts what waits in the backlog, so that no client that was let in is reset; then closes.
  void close();

  /// Closes at once.
  void abort();

private:
  void accept_some();
  bool accept_one();
  void serve(int descriptor, const void* address, int family);
  void turn_away(int descriptor);
  void pause();

  http_worker& worker_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  int spare_;
};

} // namespace trunkline
