/// INTERNAL to net: the beginning of a TLS connection between two nodes, on either side.
///
/// With TLS 1.3 the side that dials has finished before it can know whether its own certificate was
/// accepted: so the side that accepts says a word of welcome, and only then the connection stands.
/// Belongs to the pipes' thread.
#pragma once

#include "net/node_credentials.hpp"
#include "net/pipe_stream.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trunkline {

/// A connection that stands.
struct proven_peer {
  std::string name;
  std::unique_ptr<pipe_stream> stream;
  std::shared_ptr<const node_credentials> credentials; ///< What it was judged by.
};

/// Says in words why a peer that proved this name is not wanted; nothing if it is.
using peer_question = std::function<std::optional<std::string>(const std::string& name)>;

class pipe_handshake : public std::enable_shared_from_this<pipe_handshake> {
public:
  /// Called once, unless it is stopped before.
  using end_handler = std::function<void(caf::expected<proven_peer> outcome)>;

  pipe_handshake(boost::asio::io_context& loop, std::shared_ptr<const node_credentials> credentials,
                 peer_question question);
  pipe_handshake(const pipe_handshake&) = delete;
  pipe_handshake& operator=(const pipe_handshake&) = delete;

  /// Takes over `descriptor`, a connected non-blocking socket. Never calls `ended` before it
  /// returns.
  void start(int descriptor, pipe_side side, time_point now,
             std::chrono::steady_clock::time_point until, end_handler ended);

  /// Ends it with `why`, if it has not ended yet.
  void fail(caf::error why);

  /// Ends it without a word.
  void stop();

private:
  enum class step : std::uint8_t { tls, welcome, over };

  bool judge(const std::optional<std::string>& name);
  void go_on();
  stream_result take_step();
  void refuse();
  void end(caf::expected<proven_peer> outcome);

  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  const std::shared_ptr<const node_credentials> credentials_;
  const peer_question question_;
  const name_judge judge_;
  std::unique_ptr<pipe_stream> stream_;
  end_handler ended_;
  std::string peer_;
  std::string refusal_; ///< In words of our own.
  pipe_side side_ = pipe_side::dials;
  step step_ = step::tls;
};

} // namespace trunkline
