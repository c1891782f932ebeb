#include "actors/link.hpp"

#include "actors/messages.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// What CAF tells; whoever has the pipe knows more.
constexpr auto connection_over = "the connection has ended";

} // namespace

link_handle::behavior_type link_state::make_behavior(link_dependencies dependencies,
                                                     link_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  pause_ = options_.redial_min;
  dial_at_ = self_->clock().now();
  facts_.why_down = "not connected yet";
  self_->set_down_handler([this](const caf::down_msg& down) {
    if (remote_ && down.source == remote_)
      drop(connection_over);
  });
  note();
  self_->send(self_, link_timer{});
  return {
      [this](const envelope& letter) { take(letter); },
      [this](caf::connect_atom) {
        pause_ = options_.redial_min;
        dial_at_ = std::min(dial_at_, self_->clock().now());
      },
      [this](caf::connect_atom, const caf::strong_actor_ptr& remote) {
        is_dialling_ = false;
        begin(remote);
        greet(false);
      },
      [this](const link_lost& news) { drop(news.why); },
      [this](ask_peer& question) { ask(question); },
      [this](caf::leave_atom) { leave(); },
      [this](const answer_peer& given) { answer(given); },
      [this](flush_link) { flush(); },
      [this](link_timer) { look(); },
  };
}

// --- the connection ------------------------------------------------------------------------------

/// Everything is counted anew: what an earlier connection carried has failed.
void link_state::begin(const caf::strong_actor_ptr& remote) {
  if (is_connected())
    drop("the peer has connected anew");
  remote_ = remote;
  ++connection_;
  sent_seq_ = taken_seq_ = 0;
  heard_at_ = self_->clock().now();
  self_->monitor(remote_);
}

void link_state::greet(bool is_answer) {
  send(envelope_kind::hello, 0,
       encode(link_hello{.node = has_.own_name,
                         .version_min = link_version_min,
                         .version_max = link_version,
                         .is_answer = is_answer}));
}

/// Ends the pipe as well: it is good for nothing.
void link_state::lose(const std::string& why) {
  drop(why);
  has_.close();
}

/// One end is told in several ways: the first one counts, unless it says nothing.
void link_state::drop(const std::string& why) {
  const auto is_first = is_connected() || is_dialling_;
  if (is_first || facts_.why_down == connection_over)
    facts_.why_down = why;
  if (!is_first)
    return note();
  is_dialling_ = false;
  dial_at_ = self_->clock().now() + pause_;
  pause_ = std::min(pause_ * 2, options_.redial_max);
  if (is_connected())
    self_->demonitor(remote_->address());
  remote_ = nullptr;
  is_up_ = false;
  ++connection_; // answers to what it asked go nowhere
  served_ = 0;
  waiting_.clear();
  in_flight_.clear();
  waiting_bytes_ = in_flight_frames_ = in_flight_bytes_ = refusals_past_limit_ = 0;
  const auto lost = std::exchange(asks_, {});
  for (const auto& [id, asked] : lost)
    asked.reply(make_error(errc::timed_out, has_.peer + " was asked, and is gone: " + why));
  if (facts_.is_up || !facts_.since)
    facts_.since = self_->clock().now();
  facts_.is_up = false;
  facts_.round_trip.reset();
  note();
}

void link_state::take(const envelope& letter) {
  const auto sender = caf::actor_cast<caf::strong_actor_ptr>(self_->current_sender());
  const auto kind = static_cast<envelope_kind>(letter.kind);
  if (!sender)
    return;
  if (kind == envelope_kind::hello)
    return take_hello(letter, sender);
  if (!is_up_ || sender != remote_ || letter.epoch != peer_epoch_)
    return; // of a connection or of a process that is over
  heard_at_ = self_->clock().now();
  if (letter.version < link_version_min || letter.version > link_version)
    return lose("it writes format " + std::to_string(letter.version) + ", which was not agreed on");
  switch (kind) {
  case envelope_kind::frames:
    return take_frames(letter);
  case envelope_kind::ack:
    return take_ack(letter.seq);
  case envelope_kind::ping:
    return send(envelope_kind::pong, letter.seq, {});
  case envelope_kind::pong:
    return take_pong(letter.seq);
  case envelope_kind::goodbye:
    return take_goodbye();
  case envelope_kind::hello:
    return;
  }
}

/// Behind every answer that it has given.
void link_state::leave() {
  if (!is_up_ || served_ > 0)
    return;
  flush();
  send(envelope_kind::goodbye, 0, {});
}

void link_state::take_goodbye() {
  const auto open = std::exchange(asks_, {});
  for (const auto& [id, asked] : open)
    asked.reply(make_error(errc::unavailable, has_.peer + " ends, and has not done this"));
  lose("it has ended");
}

/// Who has dialled speaks first; the other one answers, and both are up.
void link_state::take_hello(const envelope& letter, const caf::strong_actor_ptr& sender) {
  const auto hello = decode_hello(letter.body);
  if (hello && hello->is_answer != (sender == remote_ && has_.dial))
    return; // of an earlier connection
  if (hello && !hello->is_answer)
    begin(sender);
  if (!hello)
    return lose(context_of(hello.error()));
  if (hello->node != has_.peer)
    return lose("it calls itself " + hello->node);
  if (hello->version_max < link_version_min || hello->version_min > link_version)
    return lose("it speaks formats " + std::to_string(hello->version_min) + " to " +
                std::to_string(hello->version_max) + ", and this node " +
                std::to_string(link_version_min) + " to " + std::to_string(link_version));
  peer_epoch_ = letter.epoch;
  if (!hello->is_answer)
    greet(true);
  is_up_ = true;
  pause_ = options_.redial_min;
  facts_.is_up = true;
  facts_.since = heard_at_ = self_->clock().now();
  facts_.why_down.clear();
  note();
}

void link_state::send(envelope_kind kind, std::uint64_t seq, std::string body) {
  self_->send(caf::actor_cast<link_handle>(remote_),
              envelope{.kind = static_cast<std::uint8_t>(kind),
                       .version = link_version,
                       .epoch = has_.epoch,
                       .seq = seq,
                       .body = std::move(body)});
}

// --- time ----------------------------------------------------------------------------------------

void link_state::look() {
  const auto now = self_->clock().now();
  if (is_connected() && now - heard_at_ > options_.silent_for)
    lose("it has been silent for " + std::to_string(options_.silent_for.count()) + " ms");
  dial_if_due(now);
  fail_late_asks(now);
  if (is_up_)
    send(envelope_kind::ping,
         static_cast<std::uint64_t>(
             std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count()),
         {});
  note();
  self_->delayed_send(self_, options_.interval, link_timer{});
}

void link_state::dial_if_due(time_point now) {
  if (!has_.dial || is_connected() || is_dialling_ || now < dial_at_)
    return;
  is_dialling_ = true;
  has_.dial();
}

void link_state::fail_late_asks(time_point now) {
  for (auto at = asks_.begin(); at != asks_.end();) {
    if (at->second.deadline > now) {
      ++at;
      continue;
    }
    const auto late = std::move(at->second);
    at = asks_.erase(at);
    late.reply(make_error(errc::timed_out, has_.peer + " has not answered in time"));
  }
}

void link_state::take_pong(std::uint64_t sent_at) {
  const auto now = self_->clock().now().time_since_epoch();
  const auto then = std::chrono::microseconds{sent_at};
  facts_.round_trip = std::max(std::chrono::duration_cast<std::chrono::microseconds>(now) - then,
                               std::chrono::microseconds{0});
}

void link_state::note() {
  facts_.heard_at = heard_at_;
  facts_.bytes_in_flight = in_flight_bytes_;
  facts_.bytes_waiting = waiting_bytes_;
  has_.board->note(has_.peer, facts_);
}

link_handle::behavior_type link(watched_pointer<link_handle, link_state> self,
                                link_dependencies dependencies, link_options options) {
  self->set_label("link " + dependencies.peer);
  return self->state.make_behavior(std::move(dependencies), options);
}

} // namespace trunkline
