/// The account actor: one per local account that does something, the single place where the order
/// of its changes is made.
///
/// It checks what can be checked without the database, and hands each change to the writer in the
/// order of arrival; several are under way at once and may share a commit. It keeps nothing that is
/// not in the database: the region stops it when it is idle and starts it again at will.
#pragma once

#include "actors/account_changes.hpp"
#include "actors/account_messages.hpp"
#include "actors/shard_region_messages.hpp"
#include "actors/tasks.hpp"
#include "actors/watched_actor.hpp"

#include <caf/response_promise.hpp>
#include <caf/result.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <caf/unit.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace trunkline {

struct account_options {
  std::size_t in_flight_max = 512; ///< Changes under way; more are refused with `unavailable`.
  std::chrono::nanoseconds idle_after = std::chrono::seconds{120}; ///< Then it asks to be stopped.
};

struct account_dependencies {
  storage_handles storage;
  std::shared_ptr<id_source> ids;
  std::string domain; ///< `server.domain`
  url_space urls;     ///< Of ids: below https:// and the domain, but in test mode.
  passivator_handle region;
};

class account_state {
public:
  explicit account_state(account_handle::pointer self) : self_{self} {}
  ~account_state();

  account_handle::behavior_type make_behavior(account_id id, account_dependencies dependencies,
                                              account_options options);

private:
  using clock_point = caf::actor_clock::time_point;

  /// Something the account does, on the writer's thread.
  template <class T>
  using change = std::function<caf::expected<T>(acting_account&, write_context&)>;

  caf::result<post_id> publish(publish_post& message);
  caf::result<post_id> edit(edit_post& message);
  caf::result<void> block(const block_domain& wish);
  void run_round(std::uint64_t number, std::shared_ptr<const block_domain> wish,
                 caf::typed_response_promise<caf::unit_t> reply);
  template <class Reply, class T>
  caf::result<Reply> write(const ticket& admission, change<T> made);
  void finish(std::uint64_t number, const caf::error& failure);
  caf::error refuse(caf::error why);
  account_report report() const;
  void arm_idle_timer(std::chrono::nanoseconds in);
  void look_whether_idle(const account_idle& timer);
  void stop_when_done(const caf::error& reason);

  account_handle::pointer self_;
  account_dependencies has_;
  account_options options_;
  std::shared_ptr<acting_account> acting_;
  std::unordered_map<std::uint64_t, caf::response_promise> open_; ///< Handed to the writer.
  std::uint64_t next_number_ = 0;
  std::uint64_t timer_epoch_ = 0;
  clock_point last_used_;
  account_report report_;
  bool stopping_ = false;
};

/// The actor of `id`. It ends when told to, after its last change has been answered.
account_handle::behavior_type account(watched_pointer<account_handle, account_state> self,
                                      account_id id, account_dependencies dependencies,
                                      account_options options);

} // namespace trunkline
