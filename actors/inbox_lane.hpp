/// An inbox lane: what one host has sent, applied in the order of arrival, each once.
///
/// It fetches what an activity needs, then applies it and ends its row in one transaction; the
/// table is the truth, so that it may be killed at any point. It waits for its own host alone: an
/// arrival that needs something of other servers is set aside, at most `aside_max` at a time, and
/// later ones go on. What the sender undoes or deletes meanwhile is remembered by storage.
///
/// The embedder's filters are asked before anything is fetched; what they refuse ends without
/// effect. After a restart they are asked again.
#pragma once

#include "actors/content_gate.hpp"
#include "actors/inbound_changes.hpp"
#include "actors/inbound_plan.hpp"
#include "actors/inbox_messages.hpp"
#include "actors/resolver_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/time.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

struct inbox_lane_options {
  /// Tries to fetch what is essential: of the sender, in about an hour; of others, in minutes.
  std::int64_t tries_max = 8;
  std::int64_t tries_elsewhere_max = 4;
  std::chrono::seconds first_wait{30};     ///< Before the second try; then twice as long each time.
  std::chrono::seconds fetch_deadline{60}; ///< Of one question to the resolver.
  std::chrono::seconds storage_wait{5};    ///< After storage failed; no arrival is to blame for it.
  std::int64_t judgements_max = 8;         ///< Tries to get a decision of the filters.
  std::chrono::seconds judgement_wait{5};  ///< Before the second; then twice as long each time.
  std::size_t aside_max = 16;              ///< Arrivals that wait for other servers at once.
  std::chrono::seconds idle_after{120};
};

using activity_applier = std::function<caf::error(write_context&, const inbound_context&,
                                                  const arrival&, const activity&)>;

/// What a lane works with. `at_point` is told where it is, on the writer's thread inside the
/// transaction ("inbox_applying") and after the commit ("inbox_applied"). `log` takes one line for
/// each arrival that is given up or that a filter refuses. Both may be empty.
struct inbox_lane_dependencies {
  storage_handles storage;
  resolver_handle resolver;
  inbound_context shared;
  wall_clock clock;
  host_passivator_handle region;
  std::function<void(std::string_view)> at_point;
  activity_applier apply = apply_activity;
  std::function<void(std::string)> log;
  std::shared_ptr<content_gate> gate; ///< Null: nothing is filtered.
};

class inbox_lane_state {
public:
  explicit inbox_lane_state(inbox_lane_handle::pointer self) : self_{self} {}

  inbox_lane_handle::behavior_type make_behavior(host_address host,
                                                 inbox_lane_dependencies dependencies,
                                                 inbox_lane_options options);

private:
  using arrival_id = std::int64_t;

  /// An arrival under work; shared with the job that applies it.
  struct work {
    arrival row;
    activity said;
    inbound_plan plan;
    std::size_t fetched = 0;   ///< Of the plan's steps.
    std::int64_t failures = 0; ///< In a row, of the step.
    bool is_followed = false;  ///< Somebody here follows the signer; known before a step needs it.

    const inbound_fetch& step() const { return plan.fetches[fetched]; }
    arrival_end end = arrival_end::done;
    caf::error hopeless; ///< Why it can never be applied.

    std::optional<filtered_activity> unjudged; ///< For the filters, until they have decided.
    std::int64_t judgements = 0;               ///< Tries that have failed.
  };

  void read();
  void got(caf::expected<std::optional<arrival>>& next);
  void begin(arrival row);
  void go_on(arrival_id id);

  void judge(arrival_id id, const work& current);
  void judged(arrival_id id, const gate_decision& decided);
  void refuse(work& current, const gate_decision& decided);
  void judge_later(work& current, const gate_decision& decided);
  void plan(work& current) const;

  void step_aside(arrival_id id);
  void fetch(arrival_id id, const inbound_fetch& step);
  void fetch_if_followed(arrival_id id, const caf::expected<bool>& is_followed);
  template <class Found, class Wanted>
  void ask_resolver(arrival_id id, Wanted wanted);
  void fetched(arrival_id id, const caf::error& failure);
  void missed(work& current, const caf::error& failure);
  std::int64_t tries_of(const work& current) const;
  void skip(arrival_id id);

  void apply(const std::shared_ptr<work>& current);
  void applied(arrival_id id, const caf::expected<bool>& result);
  void give_up(arrival_id id);
  void ended(arrival_id id);

  void later(std::chrono::seconds wait, arrival_id id);
  void due(std::uint64_t epoch);
  void rest();

  inbox_lane_handle::pointer self_;
  host_address host_;
  inbox_lane_dependencies has_;
  inbox_lane_options options_;
  std::map<arrival_id, std::shared_ptr<work>> works_; ///< The head and those aside.
  arrival_id head_ = 0; ///< The one that later ones wait for; 0: none.
  bool reading_ = false;
  bool woken_ = false;     ///< While reading: it may have read too early.
  bool exhausted_ = false; ///< The sender did not answer in all tries, and in none since.
  std::map<std::uint64_t, arrival_id> timers_; ///< By epoch; 0: read again.
  std::uint64_t epoch_ = 0;
  std::uint64_t rest_epoch_ = 0; ///< Of the timer that ends a rest; 0: it does not rest.
  inbox_report report_;
};

inbox_lane_handle::behavior_type
inbox_lane(watched_pointer<inbox_lane_handle, inbox_lane_state> self, host_address host,
           inbox_lane_dependencies dependencies, inbox_lane_options options);

} // namespace trunkline
