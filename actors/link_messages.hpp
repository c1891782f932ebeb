/// Messages and handle of a link: the actor that speaks with one other node.
#pragma once

#include "actors/envelope.hpp"
#include "actors/link_records.hpp"
#include "protocol/errc.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/atom.hpp>
#include <caf/expected.hpp>
#include <caf/typed_actor.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace trunkline {

/// The promise of one answer of a peer, or to one. Copies are of one promise: the first call
/// counts, from any thread, and one that is destroyed uncalled says `errc::timed_out`.
class peer_reply {
public:
  /// Called once; must not block.
  using sink = std::function<void(caf::expected<std::string>)>;

  peer_reply() = default;
  explicit peer_reply(sink deliver) : state_{std::make_shared<state>(std::move(deliver))} {}

  void operator()(caf::expected<std::string> answer) const {
    if (state_)
      state_->deliver_once(std::move(answer));
  }

private:
  struct state {
    explicit state(sink given) : deliver{std::move(given)} {}
    ~state() { deliver_once(make_error(errc::timed_out, "the node ends")); }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    void deliver_once(caf::expected<std::string> answer) {
      if (!is_done.exchange(true))
        deliver(std::move(answer));
    }

    const sink deliver;
    std::atomic<bool> is_done = false;
  };

  std::shared_ptr<state> state_;
};

/// Asks the peer. Answered through `reply`: with what the peer said; `errc::unavailable` when it
/// was not asked, because it is not reachable or the link is full; `errc::timed_out` when it was,
/// and nobody knows what came of it; else with what the peer failed with.
struct ask_peer {
  link_topic topic = link_topic::web;
  std::string body;
  std::chrono::milliseconds limit{0}; ///< From now on.
  peer_reply reply;
};

/// The pipe of the link is over, or a dial came to nothing.
struct link_lost {
  std::string why;
};

/// INTERNAL: what the peer asked for over the connection of that number has an answer.
struct answer_peer {
  std::uint64_t connection = 0;
  std::uint64_t id = 0;
  std::shared_ptr<const caf::expected<std::string>> answer;
};

/// INTERNAL: everything that was there to be sent has been handed over; a moment has passed.
struct flush_link {};
struct link_timer {};

using link_handle = caf::typed_actor<
    // From the peer.
    caf::reacts_to<envelope>,
    // Dial soon: the peer is there, or there again.
    caf::reacts_to<caf::connect_atom>,
    // A dial has reached the peer's link.
    caf::reacts_to<caf::connect_atom, caf::strong_actor_ptr>, caf::reacts_to<link_lost>,
    caf::reacts_to<ask_peer>,
    // This node ends, and has answered all that the peer has asked: tells the peer.
    caf::reacts_to<caf::leave_atom>,
    // INTERNAL
    caf::reacts_to<answer_peer>, caf::reacts_to<flush_link>, caf::reacts_to<link_timer>>;

} // namespace trunkline
