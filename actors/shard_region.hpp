/// A shard region: finds, starts and stops the actors of one kind on this node, by their ids.
///
/// Its interface is that of its actors, so that a caller sends a message with an id in it and never
/// holds the actor itself. A message for an actor that stops waits for the next one. An actor that
/// dies is started again by the next message, from storage; after `crashes_max` deaths within
/// `crash_window` its id is refused with `quarantined` for that long. The region holds strong
/// handles: its actors live until it stops them. A node owns all shards for now.
#pragma once

#include "actors/shard_region_messages.hpp"
#include "protocol/errc.hpp"
#include "protocol/ids.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_clock.hpp>
#include <caf/exit_reason.hpp>
#include <caf/result.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <caf/unit.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace trunkline {

/// What a region has done; written by it, read by any thread.
struct region_counters {
  std::atomic<std::int64_t> active = 0; ///< Actors that run now.
  std::atomic<std::int64_t> activated = 0;
  std::atomic<std::int64_t> passivated = 0;
  std::atomic<std::int64_t> crashes = 0;
  std::atomic<std::int64_t> quarantined = 0; ///< Ids put aside, in sum.
  std::atomic<std::int64_t> refused = 0; ///< Messages: quarantine, full buffer, too many actors.
};

struct region_options {
  std::size_t actors_max = 100'000; ///< Active at once; more are refused with `unavailable`.
  std::size_t buffer_max = 256;     ///< Messages that wait for one stopping actor.
  std::size_t crashes_max = 3;      ///< Within `crash_window`: the id is put aside.
  std::chrono::nanoseconds crash_window = std::chrono::seconds{60};
  /// Told of each crash, in the region; must not block. Empty: nobody.
  std::function<void(account_id id, const caf::error& reason, bool is_quarantined)> on_crash;
};

template <class Handle>
class shard_region_state {
public:
  using region_handle = region_of<Handle>;
  using self_pointer = typename region_handle::pointer;

  /// Starts the actor of `id`, which asks `region` to be passivated. Called in the region.
  using start_actor = std::function<Handle(account_id id, const passivator_handle& region)>;

  explicit shard_region_state(self_pointer self) : self_{self} {}
  ~shard_region_state() {
    for (auto& [id, found] : actors_)
      refuse_waiting(found, make_error(errc::unavailable, "region: shutting down"));
  }

  typename region_handle::behavior_type make_behavior(start_actor start,
                                                      std::shared_ptr<region_counters> counters,
                                                      region_options options) {
    start_ = std::move(start);
    counters_ = std::move(counters);
    options_ = options;
    self_->set_down_handler([this](caf::down_msg& down) { forget(down); });
    self_->set_exit_handler([this](caf::exit_msg& order) { stop_all(order); });
    return behavior_of(static_cast<typename region_handle::signatures*>(nullptr));
  }

private:
  using clock_point = caf::actor_clock::time_point;

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

  struct crash_record {
    std::deque<clock_point> crashes;
    bool quarantined = false;
  };

  template <class... Signatures>
  typename region_handle::behavior_type behavior_of(caf::detail::type_list<Signatures...>*) {
    return {handler(static_cast<Signatures*>(nullptr))...};
  }

  auto handler(caf::reacts_to<passivate_actor>*) {
    return [this](const passivate_actor& wish) { passivate(wish); };
  }

  template <class In, class Out>
  auto handler(caf::typed_mpi<caf::detail::type_list<In>, caf::output_tuple<Out>>*) {
    if constexpr (requires(In message) { message.account; })
      return [this](In& message) { return route<In, Out>(message); };
    else // what an actor sends to itself is nothing to a region
      return [](const In&) {};
  }

  template <class In, class Out>
  caf::result<Out> route(In& message) {
    auto found = find_or_start(message.account);
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
                        "region: too many messages wait for " + to_string(message.account));
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

  caf::expected<activation*> find_or_start(account_id id) {
    if (auto found = actors_.find(id); found != actors_.end())
      return &found->second;
    if (closing_)
      return make_error(errc::unavailable, "region: shutting down");
    if (is_quarantined(id))
      return make_error(errc::quarantined,
                        "account " + to_string(id) + ": crashed too often, put aside for now");
    if (actors_.size() >= options_.actors_max)
      return make_error(errc::unavailable, "region: too many actors are active");
    return &start(id);
  }

  activation& start(account_id id) {
    auto actor = start_(id, passivator_handle{self_});
    self_->monitor(actor);
    ids_.emplace(actor.id(), id);
    ++counters_->activated;
    ++counters_->active;
    return actors_.insert_or_assign(id, activation{.actor = std::move(actor)}).first->second;
  }

  bool is_quarantined(account_id id) {
    const auto found = records_.find(id);
    if (found == records_.end() || !found->second.quarantined)
      return false;
    if (self_->clock().now() - found->second.crashes.back() < options_.crash_window)
      return true;
    records_.erase(found);
    return false;
  }

  void passivate(const passivate_actor& wish) {
    const auto found = actors_.find(account_id{wish.id});
    if (found == actors_.end() || found->second.stopping)
      return;
    auto& target = found->second;
    if (wish.incarnation != 0 && wish.incarnation != target.actor.id())
      return;
    target.stopping = true;
    order_to_stop(target.actor);
  }

  /// Leaves behind the messages that were sent before: an exit message of normal priority.
  void order_to_stop(const Handle& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
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
    if (closing_ && actors_.empty())
      self_->quit(caf::exit_reason::user_shutdown);
  }

  void hand_on(account_id id, activation& gone) {
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

  void note_crash(account_id id, const caf::error& reason) {
    ++counters_->crashes;
    const auto now = self_->clock().now();
    drop_old_records(now);
    auto& record = records_[id];
    record.crashes.push_back(now);
    while (now - record.crashes.front() > options_.crash_window)
      record.crashes.pop_front();
    record.quarantined = record.crashes.size() >= options_.crashes_max;
    if (record.quarantined)
      ++counters_->quarantined;
    if (options_.on_crash)
      options_.on_crash(id, reason, record.quarantined);
  }

  /// Keeps the records as few as the ids that crashed within one window.
  void drop_old_records(clock_point now) {
    std::erase_if(records_, [&](const auto& known) {
      return now - known.second.crashes.back() > options_.crash_window;
    });
  }

  void stop_all(const caf::exit_msg& order) {
    closing_ = true;
    for (auto& [id, target] : actors_)
      if (!std::exchange(target.stopping, true))
        order_to_stop(target.actor);
    if (actors_.empty())
      self_->quit(order.reason);
  }

  self_pointer self_;
  start_actor start_;
  std::shared_ptr<region_counters> counters_;
  region_options options_;
  std::unordered_map<account_id, activation> actors_;
  std::unordered_map<caf::actor_id, account_id> ids_;
  std::unordered_map<account_id, crash_record> records_;
  bool closing_ = false;
};

/// The region of the actors behind `Handle`: spawn it with
/// `system.spawn(shard_region<account_handle>, start, counters, options)`. Told to exit, it lets
/// its actors finish what they have, and ends after the last one.
template <class Handle>
typename region_of<Handle>::behavior_type
shard_region(typename region_of<Handle>::template stateful_pointer<shard_region_state<Handle>> self,
             typename shard_region_state<Handle>::start_actor start,
             std::shared_ptr<region_counters> counters, region_options options) {
  return self->state.make_behavior(std::move(start), std::move(counters), options);
}

} // namespace trunkline
