/// A host actor without orders: what waits, what is under way, how the host does, what it tells.
#pragma once

#include "actors/gated_sender.hpp"
#include "actors/remote_host_exchange.hpp"
#include "actors/remote_host_messages.hpp"
#include "actors/remote_host_news.hpp"
#include "actors/remote_host_options.hpp"
#include "protocol/delivery_queue.hpp"
#include "protocol/delivery_verdict.hpp"
#include "protocol/exception_queue.hpp"
#include "protocol/host_health.hpp"
#include "storage/delivery_store.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace trunkline {

class remote_host_core {
public:
  explicit remote_host_core(remote_host_handle::pointer self) : self_{self} {}
  ~remote_host_core();

protected:
  using exchange_id = std::uint64_t;
  using steady_time = std::chrono::steady_clock::time_point;
  using microseconds = std::chrono::microseconds;
  // remote_host_core.cpp: its life
  void set_up(host_address address, remote_host_dependencies dependencies,
              remote_host_options options);
  void start();
  void start_later();
  void stop();
  void end_if_stopped();
  void begin(const host_cursor& cursor);
  void begin_with(const host_facts& facts);
  void begin_with(stored_exception read);
  void offer(const offer_units& news);
  void learn(const host_cursor& now);
  void ask_again();
  void on_timer(host_timer due);
  void pump();
  bool send_one();
  void deliver_next();
  bool old_may_go() const;
  bool must_wait(const delivery_unit& unit) const;
  void wake_later();
  std::optional<microseconds> next_wake() const;

  // remote_host_places.cpp: how much may be under way
  steady_time steady() const { return self_->clock().now(); }
  std::int64_t limit() const;
  bool is_failing() const;
  bool may_send(time_point now) const;
  bool may_begin() const;
  budget_kind kind_of_next(bool is_fetch) const;
  bool get_place(budget_kind kind);
  void take(place_granted& news);
  host_exchange& begin_exchange(bool is_probe);
  host_exchange* find_exchange(exchange_id id);
  std::optional<host_exchange> end_exchange(exchange_id id);
  void send(exchange_id id, sign_request wish, outgoing_request request);
  void bar_unsent();
  microseconds slow_after() const;
  void watch_slow();
  void look_for_slow();

  // remote_host_refill.cpp: what the log has, and what is not sent
  static bool takes_back(log_kind kind);
  bool is_blocked() const;
  void note_blocked(bool is_so);
  bool may_deliver(const delivery_unit& unit) const;
  bool is_unwanted(const delivery_unit& unit) const;
  bool may_hold_unwanted() const;
  void discard();
  void replace_exceptions(const delivery_unit& newer);
  bool may_read(delivery_class cls) const;
  void read_more();
  void refill(const refill_wish& wish, const found_units& found);
  void refill_failed(const refill_wish& wish);
  void take_replaced();

  // remote_host_tell.cpp: what it says of itself
  void tell();
  void tell_now();
  bool has_news() const;
  host_facts stored_facts() const;
  host_health_line health_line() const;
  std::optional<time_point> next_try() const;
  void show();
  caf::result<host_report> describe();
  host_report make_report() const;
  void answer_asked();

  // remote_host_deliveries.cpp: from a unit to its verdict
  void deliver(queued_unit item, bool is_exception);
  void read_body(exchange_id id);
  void sign(exchange_id id, const delivery_body& body);
  void give_up(exchange_id id, const caf::error& failure, unit_outcome if_not_found);
  void ended(exchange_ended& news);
  delivery_verdict verdict_of(const host_exchange& done, const exchange_outcome& outcome) const;
  void conclude(host_exchange& done, const exchange_outcome& outcome);
  void note_ended_early(const host_exchange& done);
  void doubt(const delivery_unit& unit);
  void sign_again(host_exchange& done);
  bool conclude_item(host_exchange& done, const delivery_verdict& verdict);
  void settle(const delivery_unit& unit, unit_outcome outcome);
  void bury(const delivery_unit& unit, const std::string& reason, std::int64_t attempts,
            int status);
  void tell_of_try(const host_exchange& done, const delivery_verdict& verdict) const;
  void tell_change(const delivery_unit& unit, delivery_change change, int status,
                   const std::string& error) const;

  // remote_host_exceptions.cpp: units that their lanes pass by
  time_point exceptions_clock() const;
  void stop_clock(time_point at);
  void run_clock();
  void conclude_exception(host_exchange& done, const delivery_verdict& verdict);
  void except(queued_unit item, const std::string& reason, std::int64_t attempts);
  void hold_exception(const delivery_unit& unit);
  void refuse_exception(queued_unit item);
  void note_full();
  void put_exception(waiting_exception changed, bool is_again = false);
  void end_exception(const delivery_unit& unit, unit_outcome outcome);

  // remote_host_health.cpp: how the host does
  void apply(host_event event, const std::string& reason);
  void note_success(exchange_id sent, microseconds latency, bool acknowledged);
  void note_failure(exchange_id sent, const delivery_verdict& verdict,
                    const exchange_failure* transport);
  bool is_outage() const { return has_.outage && has_.outage->is_out(); }
  microseconds failing_for() const;
  void note_outage(const std::string& reason);
  void note_busy(exchange_id sent, const delivery_verdict& verdict);
  void note_error(int status, const std::string& text, const exchange_failure* transport);
  void tell_guard(const exchange_outcome& outcome) const;
  void hold_until(time_point at, const std::string& reason);
  void wait_until(time_point at, const std::string& reason);
  void try_again_at(std::optional<time_point> at, std::string reason);
  void try_at_once(const std::string& reason);
  double chance();

  // remote_host_fetches.cpp
  caf::result<fetched_document> fetch(fetch_document& wanted);
  bool can_fetch(time_point now) const;
  caf::error refuse_fetches(time_point now) const;
  void start_fetch();
  void conclude_fetch(host_exchange& done, exchange_outcome& outcome);
  void expire_fetches(time_point now);

  remote_host_handle::pointer self_;
  host_address address_;
  std::string domain_; ///< Registrable.
  remote_host_dependencies has_;
  remote_host_options options_;
  bool started_ = false;
  bool stopping_ = false;
  std::function<void(const delivery_unit&)> on_ended_; ///< Empty unless somebody counts.
  bool asking_again_ = false;
  early_orders early_;
  host_facts facts_;
  delivery_queue queue_;
  std::array<std::shared_ptr<const missed_sources>, delivery_classes> sources_; ///< Of refills.
  request_window window_;
  minute_mean latency_;
  std::vector<host_exchange> exchanges_;
  exchange_id newest_ = 0;
  exchange_id newest_ok_ = 0; ///< The last sent request that was answered 2xx.
  host_fetches fetches_;
  std::shared_ptr<gated_sender> sender_;
  exception_queue exceptions_;
  std::optional<time_point> clock_stands_at_; ///< That of the exceptions.
  std::optional<time_point> paused_at_;
  bool is_blocked_ = false;
  bool discard_exceptions_due_ = false;
  bool discard_due_ = false;             ///< Something may have come that is not sent.
  std::optional<time_point> not_before_; ///< After a failure of our own.
  std::optional<time_point> held_until_; ///< The host asked to be left alone.
  bool is_failing_ = false;              ///< Between a failure and the next success.
  bool failing_to_connect_ = false;      ///< The last failure.
  host_places places_;
  host_news news_;
  time_point active_at_;
  std::optional<steady_time> wakes_at_; ///< Of its timer.
  std::uint64_t wake_epoch_ = 0;
  std::mt19937_64 random_;
  host_report report_; ///< Its counters and errors.
};

} // namespace trunkline
