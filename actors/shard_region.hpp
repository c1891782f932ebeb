/// A shard region: finds, starts and stops the actors of one kind on this node, by their keys: an
/// account's id, or a host (`region_key_of`).
///
/// Its interface is that of its actors, so that a caller sends a message with a key in it and never
/// holds the actor itself. A message for an actor that stops waits for the next one. An actor that
/// dies is started again by the next message, from storage; after `crashes_max` deaths within
/// `crash_window` its id is refused with `quarantined` for that long. The region holds strong
/// handles: its actors live until it stops them. Which may start is said by `may_start`; a region
/// of hosts stops those of which it is told (`stop_hosts`).
#pragma once

#include "actors/shard_region_messages.hpp"
#include "actors/shard_region_options.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/errc.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_clock.hpp>
#include <caf/exit_reason.hpp>
#include <caf/result.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <caf/unit.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace trunkline {

template <class Handle>
class shard_region_state {
public:
  using key = typename region_key_of<Handle>::type;
  using region_handle = region_of<Handle>;
  using self_pointer = typename region_handle::pointer;
  using options = region_options_of<key>;

  /// Starts the actor of `id`, which asks `region` to be passivated. Called in the region.
  using start_actor = std::function<Handle(const key& id, const passivator_of<key>& region)>;

  explicit shard_region_state(self_pointer self) : self_{self} {}
  ~shard_region_state() {
    for (auto& [id, found] : actors_)
      refuse_waiting(found, make_error(errc::unavailable, "region: shutting down"));
    for (auto& stop : stops_)
      stop.reply.deliver(make_error(errc::unavailable, "region: shutting down"));
  }

  typename region_handle::behavior_type
  make_behavior(start_actor start, std::shared_ptr<region_counters> counters, options limits) {
    start_ = std::move(start);
    counters_ = std::move(counters);
    options_ = std::move(limits);
    self_->set_down_handler([this](caf::down_msg& down) { forget(down); });
    self_->set_exit_handler([this](caf::exit_msg& order) { stop_all(order); });
    return behavior_of(static_cast<typename region_handle::signatures*>(nullptr));
  }

private:
  using keys = region_key<key>;
  using passivate_wish = typename keys::passivate;

  /// CAF's promise without a value is one of `unit_t`.
  template <class Out>
  using lifted = std::conditional_t<std::is_void_v<Out>, caf::unit_t, Out>;

  /// A message that waits: it is handed on, or its sender is told why not.
  using waiting_message = std::function<void(const Handle* actor, const caf::error& failure)>;

  struct activation {
    Handle actor;
    bool stopping = false;
    std::deque<waiting_message> waiting; ///< Only while it stops.
  };

  /// Actors that were told to stop together.
  struct common_stop {
    std::unordered_set<caf::actor_id> left;
    caf::typed_response_promise<caf::unit_t> reply;
  };

  template <class... Signatures>
  typename region_handle::behavior_type behavior_of(caf::detail::type_list<Signatures...>*) {
    return {handler(static_cast<Signatures*>(nullptr))...};
  }

  auto handler(caf::reacts_to<passivate_wish>*) {
    return [this](const passivate_wish& wish) { passivate(wish); };
  }

  auto handler(caf::replies_to<stop_hosts>::with<void>*) {
    return [this](const stop_hosts& wish) { return stop(wish); };
  }

  template <class In, class Out>
  auto handler(caf::typed_mpi<caf::detail::type_list<In>, caf::output_tuple<Out>>*) {
    if constexpr (requires(In message) { keys::in(message); })
      return [this](In& message) { return route<In, Out>(message); };
    else // what an actor sends to itself is nothing to a region
      return [](const In&) {};
  }

  template <class In, class Out>
  caf::result<Out> route(In& message) {
    auto found = find_or_start(keys::in(message));
    if (!found) {
      ++counters_->refused;
      return std::move(found.error());
    }
    auto& target = **found;
    if (!target.stopping)
      return self_->delegate(target.actor, std::move(message));
    if (target.waiting.size() >= options_.buffer_max) {
      ++counters_->refused;
      return make_error(errc::unavailable,
                        "region: too many messages wait for " + keys::name(keys::in(message)));
    }
    auto reply = self_->template make_response_promise<lifted<Out>>();
    target.waiting.push_back(
        [reply, held = std::move(message)](const Handle* actor, const caf::error& failure) mutable {
          if (!actor)
            return void(reply.deliver(failure));
          reply.delegate(*actor, std::move(held));
        });
    return reply;
  }

  caf::expected<activation*> find_or_start(const key& id) {
    const auto found = actors_.find(id);
    if (found != actors_.end() && !found->second.stopping)
      return &found->second;
    if (options_.may_start && !options_.may_start(id))
      return make_error(errc::unavailable, keys::name(id) + ": is not of this node");
    if (found != actors_.end())
      return &found->second;
    if (closing_)
      return make_error(errc::unavailable, "region: shutting down");
    if (records_.is_quarantined(id, self_->clock().now(), options_))
      return make_error(errc::quarantined,
                        keys::name(id) + ": crashed too often, put aside for now");
    if (actors_.size() >= options_.actors_max)
      return make_error(errc::unavailable, "region: too many actors are active");
    return &start(id);
  }

  activation& start(const key& id) {
    auto actor = start_(id, passivator_of<key>{self_});
    self_->monitor(actor);
    ids_.emplace(actor.id(), id);
    ++counters_->activated;
    ++counters_->active;
    return actors_.insert_or_assign(id, activation{.actor = std::move(actor)}).first->second;
  }

  void passivate(const passivate_wish& wish) {
    const auto found = actors_.find(keys::of(wish));
    if (found == actors_.end() || found->second.stopping)
      return;
    auto& target = found->second;
    if (wish.incarnation != 0 && wish.incarnation != target.actor.id())
      return;
    order_to_stop(target);
  }

  /// One that stops already counts as well: it may have something to say.
  caf::result<void> stop(const stop_hosts& wish) {
    auto stop = common_stop{};
    for (auto& [id, target] : actors_)
      if (wish.are_meant(id)) {
        stop.left.insert(target.actor.id());
        order_to_stop(target);
      }
    if (stop.left.empty())
      return caf::unit;
    stop.reply = self_->template make_response_promise<caf::unit_t>();
    stops_.push_back(stop);
    return stop.reply;
  }

  /// Leaves behind the messages that were sent before: an exit message of normal priority.
  static void order_to_stop(activation& target) {
    if (!std::exchange(target.stopping, true))
      caf::anon_send_exit(target.actor, caf::exit_reason::user_shutdown);
  }

  void forget(const caf::down_msg& down) {
    const auto number = ids_.find(down.source.id());
    if (number == ids_.end())
      return;
    const auto id = number->second;
    ids_.erase(number);
    --counters_->active;
    auto gone = std::move(actors_.at(id));
    actors_.erase(id);
    if (down.reason && down.reason != caf::exit_reason::user_shutdown)
      note_crash(id, down.reason);
    else
      ++counters_->passivated;
    hand_on(id, gone);
    note_stopped(down.source.id());
    if (closing_ && actors_.empty())
      self_->quit(caf::exit_reason::user_shutdown);
  }

  /// What an actor sent to others on this node is in their mailboxes before they hear this answer:
  /// CAF enqueues a message while it is sent, and sends the down message when the actor is done.
  void note_stopped(caf::actor_id actor) {
    std::erase_if(stops_, [actor](common_stop& stop) {
      if (stop.left.erase(actor) == 0 || !stop.left.empty())
        return false;
      stop.reply.deliver(caf::unit);
      return true;
    });
  }

  void hand_on(const key& id, activation& gone) {
    if (gone.waiting.empty())
      return;
    const auto next = find_or_start(id);
    if (!next)
      return refuse_waiting(gone, next.error());
    for (auto& message : gone.waiting)
      message(&(*next)->actor, {});
  }

  void refuse_waiting(activation& target, const caf::error& failure) {
    for (auto& message : target.waiting) {
      ++counters_->refused;
      message(nullptr, failure);
    }
    target.waiting.clear();
  }

  void note_crash(const key& id, const caf::error& reason) {
    ++counters_->crashes;
    const auto is_quarantined = records_.note(id, self_->clock().now(), options_);
    if (is_quarantined)
      ++counters_->quarantined;
    if (options_.on_crash)
      options_.on_crash(id, reason, is_quarantined);
  }

  void stop_all(const caf::exit_msg& order) {
    closing_ = true;
    for (auto& [id, target] : actors_)
      order_to_stop(target);
    if (actors_.empty())
      self_->quit(order.reason);
  }

  self_pointer self_;
  start_actor start_;
  std::shared_ptr<region_counters> counters_;
  options options_;
  std::unordered_map<key, activation> actors_;
  std::unordered_map<caf::actor_id, key> ids_;
  crash_records<key> records_;
  std::vector<common_stop> stops_; ///< Under way.
  bool closing_ = false;
};

/// The region of the actors behind `Handle`: spawn it with
/// `system.spawn(shard_region<account_handle>, start, counters, options)`. Told to exit, it lets
/// its actors finish what they have, and ends after the last one.
template <class Handle>
typename region_of<Handle>::behavior_type
shard_region(watched_pointer<region_of<Handle>, shard_region_state<Handle>> self,
             typename shard_region_state<Handle>::start_actor start,
             std::shared_ptr<region_counters> counters,
             typename shard_region_state<Handle>::options options) {
  self->set_label("shard_region " + options.kind);
  return self->state.make_behavior(std::move(start), std::move(counters), std::move(options));
}

} // namespace trunkline
