#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "storage/host_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

caf::result<void> remote_host_state::set_paused_to(bool paused) {
  auto reply = self_->make_response_promise<caf::unit_t>();
  auto change = command<caf::unit_t>{
      [address = address_, paused](write_context& context) -> caf::expected<caf::unit_t> {
        if (auto failure = set_paused(context.db, address, paused))
          return failure;
        return caf::unit;
      }};
  ask_storage(self_, has_.storage, std::move(change),
              [this, reply, paused](caf::expected<caf::unit_t> done) mutable {
                if (!done)
                  return void(reply.deliver(std::move(done.error())));
                facts_.paused = paused;
                if (!started_)
                  paused_anew_ = paused;
                if (!paused)
                  try_again_at(std::nullopt, "resumed");
                reply.deliver(caf::unit);
                pump();
              });
  return reply;
}

caf::result<void> remote_host_state::retry_now() {
  if (started_)
    try_again_at(std::nullopt, "asked for");
  else
    retry_wanted_ = true;
  auto reply = self_->make_response_promise<caf::unit_t>();
  auto change = command<caf::unit_t>{
      [address = address_](write_context& context) -> caf::expected<caf::unit_t> {
        if (auto failure = clear_next_try(context.db, address))
          return failure;
        return caf::unit;
      }};
  ask_storage(self_, has_.storage, std::move(change),
              [reply](caf::expected<caf::unit_t> done) mutable {
                if (!done)
                  return void(reply.deliver(std::move(done.error())));
                reply.deliver(caf::unit);
              });
  pump();
  return reply;
}

void remote_host_state::note_life() {
  const auto now = has_.clock();
  if (!started_ || !is_withheld(facts_.state) ||
      (last_sign_of_life_ && now - *last_sign_of_life_ < options_.sign_of_life_interval))
    return;
  last_sign_of_life_ = now;
  try_again_at(std::nullopt, "it sent something");
  pump();
}

/// Before it has started it does not know.
caf::result<host_report> remote_host_state::describe() {
  if (started_)
    return make_report();
  if (asked_.size() >= options_.asked_max)
    return make_error(errc::unavailable, to_name(address_) + ": too many ask");
  asked_.push_back(self_->make_response_promise<host_report>());
  return asked_.back();
}

void remote_host_state::answer_asked() {
  for (auto& reply : std::exchange(asked_, {}))
    if (started_)
      reply.deliver(make_report());
    else
      reply.deliver(make_error(errc::unavailable, to_name(address_) + ": is starting"));
}

host_report remote_host_state::make_report() const {
  auto report = report_;
  report.host = address_;
  report.state = to_string(facts_.state);
  report.paused = facts_.paused;
  report.behind = queue_.is_behind();
  for (const auto cls : {delivery_class::direct, delivery_class::bulk}) {
    const auto position = queue_.position(cls);
    report.waiting += position.open;
    if (position.oldest_at)
      report.oldest_at =
          std::min(report.oldest_at.value_or(*position.oldest_at), *position.oldest_at);
  }
  report.window = limit();
  report.in_flight = static_cast<std::int64_t>(exchanges_.size());
  report.exceptions = static_cast<std::int64_t>(exceptions_.size());
  report.next_try_at = facts_.next_try_at ? facts_.next_try_at : not_before_;
  if (!report.next_try_at)
    report.next_try_reason.clear();
  report.last_ok_at = facts_.last_ok_at;
  report.mailbox = static_cast<std::int64_t>(self_->mailbox().size());
  return report;
}

} // namespace trunkline
