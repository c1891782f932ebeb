// What a link sends and takes while its connection stands.

#include "actors/link.hpp"
#include "actors/messages.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {

namespace {

/// What a frame takes beside its body: a round figure.
constexpr auto frame_overhead = std::size_t{32};

/// No frame is longer: one that may not wait could never go.
std::size_t size_of(const link_frame& frame) {
  return frame.body.size() + frame_overhead;
}

/// A failure as it travels: its code, and its words.
link_frame refusal(std::uint64_t id, const caf::error& why) {
  return {.kind = frame_kind::refusal,
          .topic = static_cast<std::uint8_t>(code_of(why)),
          .id = id,
          .body = context_of(why)};
}

caf::error failure_of(const link_frame& refusal) {
  const auto is_known = refusal.topic > 0 && refusal.topic <= static_cast<std::uint8_t>(errc_last);
  return make_error(is_known ? static_cast<errc>(refusal.topic) : errc::timed_out, refusal.body);
}

} // namespace

// --- what is sent --------------------------------------------------------------------------------

void link_state::ask(ask_peer& question) {
  if (!is_up_)
    return question.reply(
        make_error(errc::unavailable, has_.peer + " cannot be reached: " + facts_.why_down));
  if (question.body.size() + frame_overhead > options_.waiting_bytes)
    return question.reply(make_error(errc::too_large, "more than a link between nodes carries"));
  const auto id = ++next_id_;
  const auto has_place = asks_.size() < options_.asks_max;
  if (!has_place || !enqueue({.kind = frame_kind::request,
                              .topic = static_cast<std::uint8_t>(question.topic),
                              .id = id,
                              .body = std::move(question.body)})) {
    ++facts_.refused;
    return question.reply(make_error(errc::unavailable, "the link to " + has_.peer + " is full"));
  }
  asks_.emplace(id, open_ask{.reply = std::move(question.reply),
                             .deadline = self_->clock().now() + question.limit});
}

/// An answer that finds no room becomes one that says so: small ones always go, and there are no
/// more of them than open questions.
void link_state::answer(const answer_peer& given) {
  if (given.connection != connection_ || !is_up_)
    return;
  --served_;
  if (!*given.answer)
    return void(enqueue(refusal(given.id, given.answer->error())));
  if (enqueue({.kind = frame_kind::answer, .id = given.id, .body = **given.answer}))
    return;
  ++facts_.refused;
  enqueue(refusal(given.id, make_error(errc::timed_out,
                                       "the answer of " + has_.own_name + " found the link full")));
}

/// Tells whether the frame goes, now or when there is credit; a refusal does, unless the peer asks
/// and asks and reads no answer.
bool link_state::enqueue(link_frame frame) {
  const auto size = size_of(frame);
  const auto is_full =
      waiting_.size() >= options_.waiting_frames || waiting_bytes_ + size > options_.waiting_bytes;
  if (is_full && frame.kind != frame_kind::refusal)
    return false;
  if (is_full && ++refusals_past_limit_ > options_.asks_max) {
    lose("it asks, and does not read what it is answered");
    return false;
  }
  waiting_bytes_ += size;
  waiting_.push_back(std::move(frame));
  plan_flush();
  return true;
}

/// Behind everything that is in the mailbox: what came together goes together.
void link_state::plan_flush() {
  if (!std::exchange(flush_is_due_, true))
    self_->send(self_, flush_link{});
}

void link_state::flush() {
  flush_is_due_ = false;
  if (!is_up_)
    return;
  if (std::exchange(owes_ack_, false))
    send(envelope_kind::ack, taken_seq_, {});
  while (!waiting_.empty() && in_flight_frames_ < options_.credit_frames &&
         in_flight_bytes_ < options_.credit_bytes) {
    auto frames = std::vector<link_frame>{};
    auto bytes = std::size_t{0};
    while (!waiting_.empty() &&
           (frames.empty() || (bytes + size_of(waiting_.front()) <= options_.envelope_bytes &&
                               in_flight_frames_ + frames.size() < options_.credit_frames))) {
      bytes += size_of(waiting_.front());
      frames.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    waiting_bytes_ -= bytes;
    in_flight_.push_back({.seq = ++sent_seq_, .frames = frames.size(), .bytes = bytes});
    in_flight_frames_ += frames.size();
    in_flight_bytes_ += bytes;
    send(envelope_kind::frames, sent_seq_, encode(frames));
  }
}

void link_state::take_ack(std::uint64_t seq) {
  if (seq > sent_seq_)
    return lose("it acknowledges what was not sent");
  while (!in_flight_.empty() && in_flight_.front().seq <= seq) {
    in_flight_frames_ -= in_flight_.front().frames;
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  refusals_past_limit_ = 0;
  if (!waiting_.empty())
    plan_flush();
}

// --- what comes ----------------------------------------------------------------------------------

void link_state::take_frames(const envelope& letter) {
  if (letter.seq != taken_seq_ + 1)
    return lose("envelope " + std::to_string(taken_seq_ + 1) + " is missing");
  auto frames = decode_frames(letter.body);
  if (!frames)
    return lose(context_of(frames.error()));
  taken_seq_ = letter.seq;
  owes_ack_ = true;
  plan_flush();
  for (auto& frame : *frames)
    if (is_up_) // it may be lost at any of them
      take_frame(std::move(frame));
}

void link_state::take_frame(link_frame frame) {
  if (frame.kind == frame_kind::request)
    return serve(std::move(frame));
  const auto found = asks_.find(frame.id);
  if (found == asks_.end())
    return; // too late
  const auto asked = std::move(found->second);
  asks_.erase(found);
  if (frame.kind == frame_kind::answer)
    asked.reply(std::move(frame.body));
  else
    asked.reply(failure_of(frame));
}

void link_state::serve(link_frame request) {
  if (served_ >= options_.asks_max) {
    enqueue(refusal(request.id, make_error(errc::unavailable, has_.own_name + " is full")));
    return;
  }
  ++served_;
  auto reply = peer_reply{[to = caf::actor_cast<link_handle>(self_), connection = connection_,
                           id = request.id](caf::expected<std::string> given) {
    caf::anon_send(to, answer_peer{.connection = connection,
                                   .id = id,
                                   .answer = std::make_shared<const caf::expected<std::string>>(
                                       std::move(given))});
  }};
  has_.serve(static_cast<link_topic>(request.topic), std::move(request.body), std::move(reply));
}

} // namespace trunkline
