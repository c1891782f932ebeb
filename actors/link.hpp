/// The actor that speaks with one other node: it numbers, acknowledges and bounds what it sends,
/// and tells within seconds that the peer does not answer.
///
/// What arrives is at most once and in order for each connection. At most a credit of
/// unacknowledged bytes is with a peer, as many wait, and past that it is refused: a peer that does
/// not read costs 16 MiB. Nothing survives a connection: what was asked and not answered fails.
#pragma once

#include "actors/link_board.hpp"
#include "actors/link_messages.hpp"
#include "actors/watched_actor.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace trunkline {

struct link_dependencies {
  std::string own_name;
  std::string peer;
  std::uint64_t epoch = 0;     ///< Of this process: no other of this name had it.
  std::function<void()> dial;  ///< Ends in `connect` or `link_lost`; empty: the peer dials.
  std::function<void()> close; ///< Ends the pipe, if there is one.
  /// Does what the peer asks for; must not block.
  std::function<void(link_topic, std::string body, peer_reply)> serve;
  std::shared_ptr<link_board> board;
};

struct link_options {
  std::size_t credit_frames = 4'096; ///< Unacknowledged ones.
  std::size_t credit_bytes = 8 << 20;
  std::size_t waiting_frames = 4'096; ///< For credit; more are refused.
  std::size_t waiting_bytes = 8 << 20;
  std::size_t asks_max = 2'048;                ///< Open questions to the peer, and of the peer.
  std::size_t envelope_bytes = 65'536;         ///< An envelope takes no other frame past it.
  std::chrono::milliseconds interval{500};     ///< Of pings and of looks at deadlines.
  std::chrono::milliseconds silent_for{3'500}; ///< Then the peer is not reachable.
  std::chrono::milliseconds redial_min{250};   ///< Between dials, doubled each time up to:
  std::chrono::milliseconds redial_max{5'000};
};

class link_state {
public:
  explicit link_state(link_handle::pointer self) : self_{self} {}

  link_handle::behavior_type make_behavior(link_dependencies dependencies, link_options options);

private:
  using time_point = std::chrono::steady_clock::time_point;

  struct open_ask {
    peer_reply reply;
    time_point deadline;
  };

  struct sent_envelope {
    std::uint64_t seq = 0;
    std::size_t frames = 0;
    std::size_t bytes = 0;
  };

  // link.cpp: the connection, and time
  void begin(const caf::strong_actor_ptr& remote);
  void greet(bool is_answer);
  void lose(const std::string& why);
  void drop(const std::string& why);
  void take(const envelope& letter);
  void take_hello(const envelope& letter, const caf::strong_actor_ptr& sender);
  void take_goodbye();
  void leave();
  void send(envelope_kind kind, std::uint64_t seq, std::string body);
  void look();
  void dial_if_due(time_point now);
  void fail_late_asks(time_point now);
  void take_pong(std::uint64_t sent_at);
  void note();

  // link_frames.cpp: what is sent and taken
  void ask(ask_peer& question);
  void answer(const answer_peer& given);
  bool enqueue(link_frame frame);
  void plan_flush();
  void flush();
  void take_ack(std::uint64_t seq);
  void take_frames(const envelope& letter);
  void take_frame(link_frame frame);
  void serve(link_frame request);

  bool is_connected() const { return remote_ != nullptr; }

  link_handle::pointer self_;
  link_dependencies has_;
  link_options options_;

  caf::strong_actor_ptr remote_; ///< Null: there is no connection.
  bool is_up_ = false;           ///< The peer has said hello.
  std::uint64_t connection_ = 0; ///< Counts them.
  std::uint64_t peer_epoch_ = 0;
  std::uint64_t sent_seq_ = 0;
  std::uint64_t taken_seq_ = 0;
  bool owes_ack_ = false;
  bool flush_is_due_ = false;
  time_point heard_at_;

  std::deque<link_frame> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t refusals_past_limit_ = 0; ///< Since the peer has acknowledged anything.
  std::deque<sent_envelope> in_flight_;
  std::size_t in_flight_frames_ = 0;
  std::size_t in_flight_bytes_ = 0;

  std::uint64_t next_id_ = 0;
  std::unordered_map<std::uint64_t, open_ask> asks_;
  std::size_t served_ = 0; ///< Questions of the peer that have no answer yet.

  time_point dial_at_;
  std::chrono::milliseconds pause_{0};
  bool is_dialling_ = false;
  link_facts facts_;
};

link_handle::behavior_type link(watched_pointer<link_handle, link_state> self,
                                link_dependencies dependencies, link_options options);

} // namespace trunkline
