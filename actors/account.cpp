#include "actors/account.hpp"

#include "actors/messages.hpp"
#include "protocol/errc.hpp"
#include "protocol/utf8.hpp"

#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t idempotency_key_bytes_max = 255;

caf::error crash_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    return make_error(errc::crashed, std::string{"account: "} + failure.what());
  } catch (...) {
    return make_error(errc::crashed, "account: an unknown exception");
  }
}

caf::error check_key(const std::string& key) {
  const auto fits = key.size() <= idempotency_key_bytes_max &&
                    key.find('\0') == std::string::npos && is_utf8(key);
  return fits ? caf::error{}
              : make_error(errc::invalid, "Idempotency-Key: must be at most 255 bytes of text");
}

} // namespace

account_state::~account_state() {
  // Whether these were committed is not known any more.
  for (auto& [number, reply] : open_)
    reply.deliver(make_error(errc::crashed, "account: ended before it could answer"));
}

account_handle::behavior_type account_state::make_behavior(account_id id,
                                                           account_dependencies dependencies,
                                                           account_options options) {
  has_ = std::move(dependencies);
  options_ = options;
  report_.account = id;
  acting_ = std::make_shared<acting_account>(id, has_.domain, has_.urls, has_.ids);
  last_used_ = self_->clock().now();
  self_->set_exit_handler([this](caf::exit_msg& order) { stop_when_done(order.reason); });
  self_->set_exception_handler([](std::exception_ptr& thrown) { return crash_of(thrown); });
  arm_idle_timer(options_.idle_after);
  return {
      [this](publish_post& m) { return publish(m); },
      [this](edit_post& m) { return edit(m); },
      [this](const delete_post& m) {
        return write<void, caf::unit_t>(m.admission, [id = m.post](auto& who, auto& context) {
          return who.remove(context, id);
        });
      },
      [this](const boost_post& m) {
        return write<post_id, post_id>(
            m.admission, [id = m.post, seen_by = m.seen_by](auto& who, auto& context) {
              return who.boost(context, id, seen_by);
            });
      },
      [this](const unboost_post& m) {
        return write<void, caf::unit_t>(m.admission, [id = m.post](auto& who, auto& context) {
          return who.unboost(context, id);
        });
      },
      [this](const follow_account& m) {
        return write<void, caf::unit_t>(
            m.admission, [target = m.target, options = m.options](auto& who, auto& context) {
              return who.follow(context, target, options);
            });
      },
      [this](const unfollow_account& m) {
        return write<void, caf::unit_t>(m.admission, [target = m.target](auto& who, auto& context) {
          return who.unfollow(context, target);
        });
      },
      [this](const block_account& m) {
        return write<void, caf::unit_t>(m.admission, [target = m.target](auto& who, auto& context) {
          return who.block(context, target);
        });
      },
      [this](const unblock_account& m) {
        return write<void, caf::unit_t>(m.admission, [target = m.target](auto& who, auto& context) {
          return who.unblock(context, target);
        });
      },
      [this](const mute_account& m) {
        return write<void, caf::unit_t>(
            m.admission, [target = m.target, options = m.options](auto& who, auto& context) {
              return who.mute(context, target, options);
            });
      },
      [this](const unmute_account& m) {
        return write<void, caf::unit_t>(m.admission, [target = m.target](auto& who, auto& context) {
          return who.unmute(context, target);
        });
      },
      [this](const favourite_post& m) {
        return write<void, caf::unit_t>(m.admission, [id = m.post](auto& who, auto& context) {
          return who.favourite(context, id);
        });
      },
      [this](const unfavourite_post& m) {
        return write<void, caf::unit_t>(m.admission, [id = m.post](auto& who, auto& context) {
          return who.unfavourite(context, id);
        });
      },
      [this](const bookmark_post& m) {
        return write<void, caf::unit_t>(m.admission,
                                        [id = m.post, kept = m.kept](auto& who, auto& context) {
                                          return who.bookmark(context, id, kept);
                                        });
      },
      [this](const pin_post& m) {
        return write<void, caf::unit_t>(m.admission,
                                        [id = m.post, pinned = m.pinned](auto& who, auto& context) {
                                          return who.pin(context, id, pinned);
                                        });
      },
      [this](const vote_in_poll& m) {
        return write<void, caf::unit_t>(
            m.admission, [id = m.post, choices = m.choices](auto& who, auto& context) {
              return who.vote(context, id, choices);
            });
      },
      [this](const answer_follow_request& m) {
        return write<void, caf::unit_t>(
            m.admission, [follower = m.follower, accepted = m.accepted](auto& who, auto& context) {
              return who.answer_request(context, follower, accepted);
            });
      },
      [this](const drop_follower& m) {
        return write<void, caf::unit_t>(m.admission,
                                        [follower = m.follower](auto& who, auto& context) {
                                          return who.drop_follower(context, follower);
                                        });
      },
      [this](const block_domain& m) { return block(m); },
      [this](report_account& m) {
        return write<std::int64_t, std::int64_t>(
            m.admission, [wish = std::make_shared<const report_account>(std::move(m))](
                             auto& who, auto& context) { return who.report(context, *wish); });
      },
      [this](change_profile& m) {
        return write<void, caf::unit_t>(
            m.admission, [changes = std::make_shared<const profile_changes>(std::move(m.changes))](
                             auto& who, auto& context) { return who.change(context, *changes); });
      },
      [this](const move_account& m) {
        return write<void, caf::unit_t>(m.admission, [target = m.target](auto& who, auto& context) {
          return who.move(context, target);
        });
      },
      [this](rotate_key& m) {
        return write<void, caf::unit_t>(
            m.admission, [wish = std::make_shared<const rotate_key>(std::move(m))](
                             auto& who, auto& context) { return who.rotate(context, *wish); });
      },
      [this](const describe_account&) -> caf::result<account_report> { return report(); },
      [this](const account_idle& timer) { look_whether_idle(timer); },
  };
}

caf::result<post_id> account_state::publish(publish_post& message) {
  if (auto failure = check_key(message.idempotency_key))
    return refuse(std::move(failure));
  auto draft = check_draft(std::move(message.draft), acting_->urls());
  if (!draft)
    return refuse(std::move(draft.error()));
  return write<post_id, post_id>(
      message.admission,
      [draft = std::make_shared<const checked_draft>(std::move(*draft)),
       key = std::move(message.idempotency_key)](acting_account& who, write_context& context) {
        return who.publish(context, *draft, key);
      });
}

caf::result<post_id> account_state::edit(edit_post& message) {
  auto draft = check_draft(std::move(message.draft), acting_->urls());
  if (!draft)
    return refuse(std::move(draft.error()));
  return write<post_id, post_id>(message.admission,
                                 [draft = std::make_shared<const checked_draft>(std::move(*draft)),
                                  id = message.post](acting_account& who, write_context& context) {
                                   return who.edit(context, id, *draft);
                                 });
}

/// Follows with the domain end in rounds; the first one makes the block.
caf::result<void> account_state::block(const block_domain& wish) {
  if (open_.size() >= options_.in_flight_max)
    return refuse(make_error(errc::unavailable, "account: too many changes are under way"));
  auto reply = self_->make_response_promise<caf::unit_t>();
  open_.emplace(next_number_, static_cast<caf::response_promise&>(reply));
  run_round(next_number_++, std::make_shared<const block_domain>(wish), reply);
  return reply;
}

void account_state::run_round(std::uint64_t number, std::shared_ptr<const block_domain> wish,
                              caf::typed_response_promise<caf::unit_t> reply) {
  last_used_ = self_->clock().now();
  auto round = command<bool>{[who = acting_, wish](write_context& context) {
    return who->block_domain(context, wish->host, wish->blocked);
  }};
  ask_storage(self_, has_.storage, std::move(round),
              [this, number, wish, reply](caf::expected<bool> is_more) mutable {
                if (is_more && *is_more)
                  return run_round(number, std::move(wish), std::move(reply));
                if (is_more)
                  reply.deliver(caf::unit);
                else
                  reply.deliver(is_more.error());
                finish(number, is_more ? caf::error{} : is_more.error());
              });
}

template <class Reply, class T>
caf::result<Reply> account_state::write(const ticket& admission, change<T> made) {
  if (open_.size() >= options_.in_flight_max)
    return refuse(make_error(errc::unavailable, "account: too many changes are under way"));
  auto reply = self_->make_response_promise<T>();
  const auto number = next_number_++;
  open_.emplace(number, static_cast<caf::response_promise&>(reply));
  last_used_ = self_->clock().now();
  auto unit = command<T>{[who = acting_, made = std::move(made)](write_context& context) {
    return made(*who, context);
  }};
  ask_storage(self_, has_.storage, std::move(unit),
              [this, number, reply, admission](caf::expected<T> outcome) mutable {
                if (!outcome)
                  reply.deliver(outcome.error());
                else if constexpr (std::is_same_v<T, caf::unit_t>)
                  reply.deliver(caf::unit);
                else
                  reply.deliver(std::move(*outcome));
                finish(number, outcome ? caf::error{} : outcome.error());
              });
  return reply;
}

void account_state::finish(std::uint64_t number, const caf::error& failure) {
  open_.erase(number);
  if (failure)
    refuse(failure);
  else
    ++report_.writes;
  if (stopping_ && open_.empty())
    self_->quit(caf::exit_reason::user_shutdown);
}

caf::error account_state::refuse(caf::error why) {
  ++report_.refused;
  report_.last_error = context_of(why);
  return why;
}

account_report account_state::report() const {
  auto now = report_;
  now.in_flight = static_cast<std::int64_t>(open_.size());
  now.mailbox = static_cast<std::int64_t>(self_->mailbox().size());
  return now;
}

void account_state::arm_idle_timer(std::chrono::nanoseconds in) {
  self_->delayed_send(self_, in, account_idle{++timer_epoch_});
}

void account_state::look_whether_idle(const account_idle& timer) {
  if (timer.epoch != timer_epoch_ || stopping_)
    return;
  const auto unused = self_->clock().now() - last_used_;
  if (!open_.empty() || unused < options_.idle_after)
    return arm_idle_timer(open_.empty() ? options_.idle_after - unused : options_.idle_after);
  self_->send(has_.region, passivate_actor{report_.account.value, self_->id()});
  arm_idle_timer(options_.idle_after); // the wish may get lost with the region
}

void account_state::stop_when_done(const caf::error& reason) {
  stopping_ = true;
  if (open_.empty())
    self_->quit(reason);
}

account_handle::behavior_type account(watched_pointer<account_handle, account_state> self,
                                      account_id id, account_dependencies dependencies,
                                      account_options options) {
  self->set_label("account " + to_string(id));
  return self->state.make_behavior(id, std::move(dependencies), options);
}

} // namespace trunkline
