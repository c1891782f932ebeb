#include "actors/remote_host.hpp"

#include "actors/messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/errc.hpp"
#include "storage/host_orders.hpp"
#include "storage/host_store.hpp"

#include <caf/system_messages.hpp>

#include <utility>

namespace trunkline {

remote_host_handle::behavior_type
remote_host_state::make_behavior(host_address address, remote_host_dependencies dependencies,
                                 remote_host_options options) {
  set_up(std::move(address), std::move(dependencies), options);
  self_->set_exit_handler([this](caf::exit_msg&) { stop(); });
  start();
  return {
      [this](const offer_units& news) { offer(news); },
      [this](const wake_host&) {
        news_.told = {};
        pump();
      },
      [this](const note_sign_of_life&) { note_life(); },
      [this](fetch_document& wanted) { return fetch(wanted); },
      [this](const pause_host&) { return pause(); },
      [this](const resume_host&) { return resume(); },
      [this](const retry_host&) { return retry_now(); },
      [this](const operate_host& order) { return operate(order); },
      [this](const list_queue& wish) { return tell_queue(wish); },
      [this](const describe_host&) { return describe(); },
      [this](host_timer due) { on_timer(due); },
      [this](exchange_ended& news) { ended(news); },
      [this](place_granted& news) { take(news); },
  };
}

/// A pause is stored with when it began.
caf::result<void> remote_host_state::pause() {
  auto reply = self_->make_response_promise<caf::unit_t>();
  auto change = command<caf::unit_t>{[address = address_, now = has_.clock()](
                                         write_context& context) -> caf::expected<caf::unit_t> {
    if (auto failure = pause_host_row(context.db, address, now))
      return failure;
    return caf::unit;
  }};
  ask_storage(self_, has_.storage, std::move(change),
              [this, reply](caf::expected<caf::unit_t> done) mutable {
                if (!done)
                  return void(reply.deliver(std::move(done.error())));
                note_paused();
                reply.deliver(caf::unit);
                pump();
              });
  return reply;
}

/// Ends a drain as well. The dispatcher knows of that before the answer: whoever posts after it is
/// delivered.
caf::result<void> remote_host_state::resume() {
  auto reply = self_->make_response_promise<caf::unit_t>();
  auto change = command<std::optional<log_seq>>{[address = address_](write_context& context) {
    return resume_host_row(context.db, address);
  }};
  ask_storage(self_, has_.storage, std::move(change),
              [this, reply](caf::expected<std::optional<log_seq>> done) mutable {
                if (!done)
                  return void(reply.deliver(std::move(done.error())));
                const auto was_drained = facts_.is_drained();
                note_resumed(*done);
                if (was_drained)
                  write_books([reply](const caf::error&) mutable { reply.deliver(caf::unit); });
                else
                  reply.deliver(caf::unit);
                pump();
              });
  return reply;
}

/// While a host is paused the clocks of dormant and dead stand, and those of its exceptions.
void remote_host_state::note_paused() {
  if (!started_)
    early_.paused = true;
  const auto was_paused = std::exchange(facts_.paused, true);
  news_.facts = true; // the dispatcher tells a paused host of nothing
  if (was_paused)
    return;
  paused_at_ = has_.clock();
  stop_clock(*paused_at_);
  bar_unsent();
}

void remote_host_state::note_resumed(std::optional<log_seq> drained_upto) {
  if (!started_) {
    early_.paused = false;
    early_.drained_upto = drained_upto;
  }
  const auto was_paused = std::exchange(facts_.paused, false);
  news_.facts = true;
  if (was_paused || facts_.is_drained()) // what came meanwhile replaces what waits, or is cancelled
    queue_.forget_waiting();
  const auto stood =
      paused_at_ ? has_.clock() - *std::exchange(paused_at_, std::nullopt) : microseconds{0};
  if (facts_.first_fail_at && stood > microseconds{0})
    *facts_.first_fail_at += stood;
  if (facts_.is_drained())
    facts_.drained_upto = drained_upto;
  try_at_once("resumed");
  run_clock();
}

caf::result<void> remote_host_state::retry_now() {
  if (started_)
    try_at_once("asked for");
  else
    early_.retry = true;
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

/// What the host asked for holds all the same.
void remote_host_state::note_life() {
  const auto now = has_.clock();
  if (!started_) {
    early_.life = true;
    return;
  }
  if (!is_withheld(facts_.state) ||
      (last_sign_of_life_ && now - *last_sign_of_life_ < options_.sign_of_life_interval))
    return;
  last_sign_of_life_ = now;
  try_again_at(held_until_ && *held_until_ > now ? held_until_ : std::nullopt, "it sent something");
  pump();
}

remote_host_handle::behavior_type
remote_host(watched_pointer<remote_host_handle, remote_host_state> self, host_address address,
            remote_host_dependencies dependencies, remote_host_options options) {
  self->set_label("remote_host " + to_key(address));
  return self->state.make_behavior(std::move(address), std::move(dependencies), options);
}

} // namespace trunkline
