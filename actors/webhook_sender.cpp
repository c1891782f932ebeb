#include "actors/webhook_sender.hpp"

#include "actors/messages.hpp"
#include "protocol/delivery_verdict.hpp"
#include "protocol/errc.hpp"
#include "protocol/webhook_signature.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace trunkline {

namespace {

using namespace std::chrono_literals;

bool is_taken(const exchange_outcome& outcome) {
  const auto* response = outcome.response();
  return response && response->status / 100 == 2;
}

std::string reason_of(const exchange_outcome& outcome) {
  if (const auto* response = outcome.response())
    return "answered " + std::to_string(response->status);
  const auto& failure = *outcome.failure();
  return std::string{to_string(failure.phase)} + ": " + failure.reason;
}

/// How long the receiver asks to be left alone.
std::chrono::microseconds wish_of(const exchange_outcome& outcome, time_point now) {
  const auto* response = outcome.response();
  if (!response)
    return 0us;
  return read_retry_after(find_header(response->headers, "Retry-After"), now).value_or(0us);
}

/// After `failures` in a row: doubles from `least` on, up to `most`.
std::chrono::microseconds wait_after(std::uint64_t failures, std::chrono::seconds least,
                                     std::chrono::seconds most) {
  auto wait = least;
  for (auto count = std::uint64_t{1}; count < failures && wait < most; ++count)
    wait *= 2;
  return std::min(wait, most);
}

std::int64_t seconds_of(time_point at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

} // namespace

webhook_sender_state::~webhook_sender_state() {
  for (auto& reply : replies_)
    reply.deliver(make_error(errc::unavailable, "webhook: shutting down"));
}

webhook_sender_handle::behavior_type
webhook_sender_state::make_behavior(webhook_target target, webhook_sender_dependencies dependencies,
                                    webhook_sender_options options) {
  target_ = std::move(target);
  has_ = std::move(dependencies);
  options_ = options;
  self_->delayed_send(self_, options_.tick, webhook_tick{});
  enter();
  return {
      [this](close_webhook) { return close(); },
      [this](webhook_tick) { tick(); },
      [this](const webhook_answered& news) { answered(news); },
  };
}

webhook_sender_state::steady_time webhook_sender_state::now() const {
  return self_->clock().now();
}

void webhook_sender_state::log(const std::string& line) const {
  if (has_.log)
    has_.log("webhook " + target_.name + ": " + line);
}

/// One line when it begins, however often it is tried.
void webhook_sender_state::note_storage(const caf::error& failure) {
  if (failure && !in_trouble_)
    log("the database gives no events, and is asked again: " + context_of(failure));
  in_trouble_ = static_cast<bool>(failure);
  if (failure)
    has_.status->change(
        [&](webhook_facts& facts) { facts.report.last_error = context_of(failure); });
}

void webhook_sender_state::tick() {
  self_->delayed_send(self_, options_.tick, webhook_tick{});
  if (!entered_)
    return enter();
  if (in_flight_ && now() - sent_at_ >= options_.answer_limit) {
    in_flight_ = false;
    refused("no answer", 0us);
  }
  if (now() - saved_at_ >= options_.mark_interval)
    save();
  pump();
}

/// A failure is tried again by the next tick.
void webhook_sender_state::enter() {
  if (std::exchange(entering_, true))
    return;
  const auto entry =
      webhook_entry{.name = target_.name, .wants_outbox = target_.kinds.has_unlogged()};
  ask_storage(self_, has_.storage, do_enter_webhook(entry),
              [this](const caf::expected<webhook_marks>& entered) {
                entering_ = false;
                note_storage(entered ? caf::error{} : entered.error());
                if (entered)
                  begin(*entered);
              });
}

void webhook_sender_state::begin(const webhook_marks& marks) {
  entered_ = true;
  marks_ = read_ = written_ = marks;
  has_.status->change([&](webhook_facts& facts) { facts.report.mark = marks.mark; });
  pump();
}

void webhook_sender_state::pump() {
  if (!entered_ || closing_ || in_flight_ || reading_ || now() < not_before_)
    return;
  if (!batch_.empty())
    return send();
  if (may_be_more())
    read();
}

/// Costs nothing: an idle node is asked for nothing.
bool webhook_sender_state::may_be_more() const {
  const auto is_behind = read_.mark < has_.position->committed();
  return is_unsure_ || is_behind || (read_.told && has_.outbox && *read_.told < has_.outbox->end());
}

void webhook_sender_state::read() {
  reading_ = true;
  const auto wish = webhook_wish{.after = read_,
                                 .rows_max = options_.rows_max,
                                 .kinds = target_.kinds,
                                 .urls = has_.urls,
                                 .source = has_.source};
  ask_storage(self_, has_.storage, ask_webhook_page(wish),
              [this](caf::expected<webhook_page> page) {
                reading_ = false;
                note_storage(page ? caf::error{} : page.error());
                if (page) // else the next tick asks again
                  take(std::move(*page));
              });
}

void webhook_sender_state::take(webhook_page page) {
  const auto has_moved = page.upto != read_;
  is_unsure_ = is_unsure_ && has_moved;
  read_ = page.upto;
  std::ranges::move(page.messages, std::back_inserter(batch_));
  if (batch_.empty())
    marks_ = read_;
  if (page.lost > 0) {
    log(std::to_string(page.lost) + " rows were purged before they were sent");
    has_.status->change(
        [&](webhook_facts& facts) { facts.report.lost += static_cast<std::uint64_t>(page.lost); });
  }
  show_front();
  if (has_moved)
    pump();
}

void webhook_sender_state::send() {
  const auto& message = batch_.front().message;
  const auto seconds = seconds_of(has_.clock());
  in_flight_ = true;
  sent_at_ = now();
  auto request = outgoing_request{
      .method = http_method::post,
      .url = target_.url,
      .headers = {{"Content-Type", "application/json"},
                  {"webhook-id", message.id},
                  {"webhook-timestamp", std::to_string(seconds)},
                  {"webhook-signature",
                   sign_webhook(target_.secret, {message.id, seconds, *message.body})}},
      .body = message.body,
      .response_bytes_max = options_.response_bytes_max};
  has_.sender->send(std::move(request), [me = webhook_sender_handle{self_},
                                         attempt = ++attempt_](exchange_outcome outcome) {
    caf::anon_send(me, webhook_answered{attempt, std::move(outcome)});
  });
}

/// An answer to an earlier attempt says nothing of this one.
void webhook_sender_state::answered(const webhook_answered& news) {
  if (!in_flight_ || news.attempt != attempt_)
    return;
  in_flight_ = false;
  if (is_taken(news.outcome))
    accepted();
  else if (!closing_)
    refused(reason_of(news.outcome), wish_of(news.outcome, has_.clock()));
  if (closing_)
    save();
}

void webhook_sender_state::accepted() {
  marks_ = batch_.front().after;
  batch_.pop_front();
  if (batch_.empty())
    marks_ = read_;
  if (failures_ > 0)
    log("takes events again, after " + std::to_string(failures_) + " failures");
  failures_ = 0;
  has_.status->change([&](webhook_facts& facts) {
    ++facts.report.delivered;
    facts.report.mark = marks_.mark;
    facts.failures_in_a_row = 0;
    facts.next_try_at.reset();
  });
  show_front();
  if (now() - saved_at_ >= options_.mark_interval)
    save();
  pump();
}

void webhook_sender_state::refused(const std::string& reason, std::chrono::microseconds wish) {
  ++failures_;
  const auto most = std::chrono::microseconds{options_.wait_max};
  const auto wait =
      std::min(std::max(wait_after(failures_, options_.wait_min, options_.wait_max), wish), most);
  not_before_ = now() + wait;
  if (failures_ == 1)
    log("failed, and is tried again: " + reason);
  has_.status->change([&](webhook_facts& facts) {
    ++facts.report.failures;
    facts.report.last_error = reason;
    facts.failures_in_a_row = failures_;
    facts.next_try_at = has_.clock() + wait;
  });
}

void webhook_sender_state::show_front() {
  has_.status->change([&](webhook_facts& facts) {
    facts.report.mark = marks_.mark;
    if (batch_.empty())
      facts.oldest_at.reset();
    else
      facts.oldest_at = batch_.front().message.at;
  });
}

/// One change at a time. Whoever closes is answered when the last move is written, that of a
/// request under way included.
void webhook_sender_state::save() {
  if (saving_)
    return;
  if (is_written() && in_flight_)
    return;
  if (is_written()) {
    for (auto& reply : std::exchange(replies_, {}))
      reply.deliver(caf::unit);
    return;
  }
  saving_ = true;
  saved_at_ = now();
  ask_storage(self_, has_.storage, do_save_webhook_marks(target_.name, marks_),
              [this, marks = marks_](const caf::expected<caf::unit_t>& done) {
                saved(marks, done ? caf::error{} : done.error());
              });
}

/// After a failure the next tick tries again, unless it is the end.
void webhook_sender_state::saved(const webhook_marks& marks, const caf::error& failure) {
  saving_ = false;
  if (!failure)
    written_ = marks;
  if (!closing_)
    return;
  if (!failure)
    return save();
  for (auto& reply : std::exchange(replies_, {}))
    reply.deliver(failure);
}

caf::result<void> webhook_sender_state::close() {
  closing_ = true;
  auto reply = self_->make_response_promise<caf::unit_t>();
  replies_.push_back(reply);
  save();
  return reply;
}

webhook_sender_handle::behavior_type
webhook_sender(watched_pointer<webhook_sender_handle, webhook_sender_state> self,
               webhook_target target, webhook_sender_dependencies dependencies,
               webhook_sender_options options) {
  self->set_label("webhook_sender " + target.name);
  return self->state.make_behavior(std::move(target), std::move(dependencies), options);
}

} // namespace trunkline
