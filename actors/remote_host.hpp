/// A remote host: what is delivered to it and fetched from it, at its own pace, so that nobody else
/// waits for it.
///
/// It holds at most a window of requests, and one at a time while it fails. After `failures_max`
/// failures in a row it is suspended and sees one probe at each next try. It keeps a few
/// references; the log has the rest. What it has settled it tells the dispatcher, whose checkpoint
/// makes it durable; after a crash it asks the dispatcher where it stands. Fetches use at most half
/// of the window. It asks to be passivated when nothing has waited for a while. Told to stop, it
/// starts nothing more and ends once it has the answers to what it has sent: what was delivered is
/// then known.
#pragma once

#include "actors/remote_host_messages.hpp"
#include "actors/remote_host_options.hpp"
#include "protocol/delivery_queue.hpp"
#include "protocol/delivery_verdict.hpp"
#include "protocol/host_health.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace trunkline {

class remote_host_state {
public:
  explicit remote_host_state(remote_host_handle::pointer self) : self_{self} {}
  ~remote_host_state();

  remote_host_handle::behavior_type make_behavior(host_address address,
                                                  remote_host_dependencies dependencies,
                                                  remote_host_options options);

private:
  struct waiting_exception {
    delivery_unit unit;
    delivery_exception row;
  };

  using fetch_reply = caf::typed_response_promise<fetched_document>;
  struct waiting_fetch {
    fetch_document wanted;
    fetch_reply reply;
    time_point due;
  };

  /// A request that has a place, from the first thing that is read for it to its answer.
  struct exchange {
    queued_unit item; ///< Of a delivery.
    bool is_exception = false;
    std::optional<waiting_fetch> fetch; ///< Nothing: a delivery.
    signature_scheme scheme = signature_scheme::cavage;
    int status = 0; ///< Of its answer; 0 without one.
    ticket slot;
  };
  using exchange_id = std::uint64_t;

  // remote_host.cpp: its life
  void start();
  void start_later();
  void stop();
  void end_if_stopped();
  void begin(const host_cursor& cursor);
  void offer(const offer_units& news);
  void ask_again();
  void pump();
  bool send_one();
  bool is_blocked() const;
  bool cancel_one();
  bool may_send(time_point now) const;
  std::int64_t limit() const;
  bool get_slot();
  void read_more();
  void tell();
  void wake_later();

  // remote_host_operators.cpp: what it is asked and told
  caf::result<host_report> describe();
  host_report make_report() const;
  void answer_asked();
  caf::result<void> set_paused_to(bool paused);
  caf::result<void> retry_now();
  void note_life();

  // remote_host_deliveries.cpp: from a unit to its verdict
  void deliver(queued_unit item, bool is_exception);
  std::optional<delivery_unit> due_exception(time_point now, bool as_probe) const;
  void read_body(exchange_id id);
  void sign(exchange_id id, const delivery_body& body);
  void post(exchange_id id, const delivery_body& body, http_headers headers);
  void send(exchange_id id, outgoing_request request);
  void give_up(exchange_id id, const caf::error& failure);
  void ended(exchange_ended& news);
  void conclude(exchange_id id, exchange& done, const exchange_outcome& outcome);
  void conclude_exception(exchange_id id, exchange& done, const delivery_verdict& verdict);
  void settle(const delivery_unit& unit);
  void bury(const delivery_unit& unit, const std::string& reason, std::int64_t attempts,
            int status);
  void tell_of_try(const exchange& done, const delivery_verdict& verdict) const;
  void tell_change(const delivery_unit& unit, delivery_change change, int status,
                   const std::string& error) const;
  void except(queued_unit item, const std::string& reason, std::int64_t attempts);
  bool joins(const delivery_unit& unit) const;
  void change_exception(const waiting_exception& changed);
  void drop_exception(const delivery_unit& unit);

  // remote_host_health.cpp: how the host does
  void apply(host_event event, const std::string& reason);
  void note_success(exchange_id sent, std::chrono::microseconds latency, bool acknowledged);
  void note_failure(exchange_id sent, const std::string& reason, bool is_connect,
                    std::optional<std::chrono::microseconds> retry_after);
  void note_busy(exchange_id sent, const delivery_verdict& verdict);
  void note_error(int status, const std::string& text);
  void try_again_at(std::optional<time_point> at, std::string reason);
  double chance();

  // remote_host_fetches.cpp
  caf::result<fetched_document> fetch(fetch_document& wanted);
  bool can_fetch(time_point now) const;
  bool refuses_fetches(time_point now) const;
  void start_fetch();
  void conclude_fetch(exchange_id id, exchange& done, exchange_outcome& outcome);
  void expire_fetches(time_point now);

  remote_host_handle::pointer self_;
  host_address address_;
  remote_host_dependencies has_;
  remote_host_options options_;
  bool started_ = false;
  bool stopping_ = false;
  bool asking_again_ = false;
  bool retry_wanted_ = false;       ///< Before it has started.
  std::optional<bool> paused_anew_; ///< Likewise: newer than what was read.
  host_facts facts_;
  bool facts_changed_ = false;
  host_state told_state_ = host_state::unproven; ///< The last one that was no probe.
  delivery_queue queue_;
  request_window window_;
  std::map<exchange_id, exchange> exchanges_;
  exchange_id newest_ = 0;
  exchange_id newest_ok_ = 0; ///< The last sent request that was answered 2xx.
  std::int64_t fetching_ = 0;
  std::deque<waiting_fetch> fetches_;
  bool fetched_last_ = false;
  std::map<unit_key, waiting_exception> exceptions_;
  std::vector<exception_change> changes_;                       ///< Not told yet.
  std::array<std::vector<unit_key>, delivery_classes> settled_; ///< Not told yet.
  std::array<class_progress, delivery_classes> told_;
  std::optional<time_point> not_before_; ///< A wait that is not the breaker's.
  bool failing_to_connect_ = false;      ///< The last failure.
  bool waits_for_slot_ = false;
  ticket slot_; ///< A place not used yet.
  std::optional<time_point> last_sign_of_life_;
  time_point active_at_;
  std::optional<time_point> wake_at_;
  std::uint64_t wake_epoch_ = 0;
  std::mt19937_64 random_;
  std::vector<caf::typed_response_promise<host_report>> asked_; ///< Before it has started.
  host_report report_;                                          ///< Its counters and errors.
};

remote_host_handle::behavior_type
remote_host(remote_host_handle::stateful_pointer<remote_host_state> self, host_address address,
            remote_host_dependencies dependencies, remote_host_options options);

} // namespace trunkline
