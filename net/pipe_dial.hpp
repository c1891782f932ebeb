/// INTERNAL to net: from the address of a node to a connection with it that stands.
///
/// Looks the name up, tries its addresses one after the other, each with its share of the time, and
/// shakes hands with the first that answers. Belongs to the pipes' thread.
#pragma once

#include "net/name_resolver.hpp"
#include "net/pipe_handshake.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// "host:port", the host without brackets.
struct named_endpoint {
  std::string host;
  std::uint16_t port = 0;
};

/// Reads "name:port", "1.2.3.4:port" or "[::1]:port".
std::optional<named_endpoint> parse_named_endpoint(std::string_view text);

class pipe_dial : public name_waiter, public std::enable_shared_from_this<pipe_dial> {
public:
  using end_handler = pipe_handshake::end_handler;

  pipe_dial(client_shared& shared, const node_pipe_limits& limits, named_endpoint endpoint);

  /// Never calls `ended` before it returns.
  void start(std::shared_ptr<pipe_handshake> handshake, wall_clock now, end_handler ended);

  /// Ends it with `why`, if it has not ended yet.
  void fail(caf::error why);

  void on_name(const name_answer& answer) override;

private:
  void find_addresses();
  void connect_next();
  void on_connected();
  void shake_hands();
  void arm();
  void end(caf::expected<proven_peer> outcome);

  client_shared& shared_;
  const node_pipe_limits& limits_;
  const named_endpoint endpoint_;
  boost::asio::steady_timer timer_;
  boost::asio::posix::stream_descriptor socket_;
  std::chrono::steady_clock::time_point until_;
  std::shared_ptr<pipe_handshake> handshake_;
  wall_clock now_;
  end_handler ended_;
  std::vector<ip_bytes> addresses_;
  std::size_t tried_ = 0;
  std::string last_words_; ///< Why the last address did not answer.
  bool has_names_ = false;
  bool is_over_ = false;
};

} // namespace trunkline
