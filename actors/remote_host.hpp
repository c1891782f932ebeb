/// A remote host: what is delivered to it and fetched from it, at its own pace, so that nobody else
/// waits for it.
///
/// It holds at most a window of requests, and one at a time while it fails; each has a place of the
/// node's budgets. After `failures_max` failures in a row it is suspended and sees one probe at
/// each next try. It keeps a few references; the log has the rest, and the log reader reads it
/// again. What it has settled it tells the dispatcher, whose checkpoint makes it durable; after a
/// crash it asks the dispatcher where it stands. Fetches use at most half of the window. It asks to
/// be passivated when nothing has waited for a while. Told to stop, it starts nothing more and ends
/// once it has the answers to what it has sent: what was delivered is then known.
///
/// Of operators it takes one order at a time, and answers when the database has it.
#pragma once

#include "actors/remote_host_core.hpp"
#include "actors/watched_actor.hpp"
#include "storage/host_orders.hpp"

#include <functional>

namespace trunkline {

class remote_host_state : public remote_host_core {
public:
  using remote_host_core::remote_host_core;

  remote_host_handle::behavior_type make_behavior(host_address address,
                                                  remote_host_dependencies dependencies,
                                                  remote_host_options options);

private:
  /// An order under way.
  struct running_order {
    operate_host wish;
    operated_host result;
    caf::typed_response_promise<operated_host> reply;
  };
  using order_ptr = std::shared_ptr<running_order>;
  using ending = std::function<void(const caf::error&)>;

  /// A look through what the log has for the host, class by class, a page at a time.
  struct log_walk {
    struct part {
      log_seq next = 1;
      log_seq upto = 0;
      std::shared_ptr<const missed_sources> sources;
    };
    std::array<part, delivery_classes> parts;
    std::size_t limit = 0;
    std::function<bool(delivery_class, const found_units&)> take; ///< False: enough.
    ending then;
  };
  using walk_ptr = std::shared_ptr<log_walk>;

  /// What a replay from a row on opens again: all that is settled, but for exceptions.
  struct reopening {
    log_seq from = 0;
    std::array<std::int64_t, delivery_classes> units{};
    std::optional<time_point> oldest_at;
    std::vector<unit_key> dead; ///< Dead letters of it.
    bool is_all = true;

    std::int64_t all() const { return units[0] + units[1]; }
  };
  using reopening_ptr = std::shared_ptr<reopening>;

  // remote_host.cpp
  caf::result<void> pause();
  caf::result<void> resume();
  void note_paused();
  void note_resumed(std::optional<log_seq> drained_upto);
  caf::result<void> retry_now();
  void note_life();

  // remote_host_orders.cpp: what an operator orders
  caf::result<operated_host> operate(const operate_host& wish);
  void carry_out(const order_ptr& order);
  void carry_out(const order_ptr& order, const host_cursor& now);
  void carry_out(const order_ptr& order, const drain_wish& wish);
  void carry_out(const order_ptr& order, const flush_wish& wish);
  void carry_out(const order_ptr& order, const limit_wish& wish);
  bool may_hold_drained() const;
  void flush_counted(const order_ptr& order);
  bool forget_ordered();
  void store_upto(std::function<caf::error(database&, log_seq newest)> change,
                  std::function<void(caf::expected<log_seq>)> then);
  void store(std::function<caf::error(database&)> change, ending then);
  void finish(const order_ptr& order, const caf::error& failure = {});
  void write_books(ending then);
  log_seq received_upto() const;

  // remote_host_replays.cpp: what is sent again
  void carry_out(const order_ptr& order, const replay_wish& wish);
  void carry_out(const order_ptr& order, const dead_letters_wish& wish);
  void replay_about(const order_ptr& order, const object_key& object);
  struct owed_rows {
    std::vector<delivery_unit> units;
    std::vector<unit_key> dead; ///< Those that are dead letters.
  };
  void replay_units(const order_ptr& order, const owed_rows& found);
  void replay_unit(const delivery_unit& unit, bool is_dead);
  void replay_from(const order_ptr& order, const reopening_ptr& counted);
  void count_settled(const order_ptr& order, const reopening_ptr& counted);
  void reopen(const order_ptr& order, const reopening& counted);
  void next_letters(const order_ptr& order, unit_key after);
  void take_letters(const order_ptr& order, const std::vector<stored_exception>& letters);
  void wait_again(const delivery_unit& unit, bool is_again);

  // remote_host_walks.cpp: what is read for an operator
  void walk(const walk_ptr& through);
  void walked(const walk_ptr& through, delivery_class cls, const found_units& found);
  walk_ptr walk_over_open(log_seq from, log_seq upto) const;
  caf::result<host_queue> tell_queue(const list_queue& wish);
  void list(const list_queue& wish, caf::typed_response_promise<host_queue> reply);
  queue_item item_of(const delivery_unit& unit) const;

  std::optional<time_point> last_sign_of_life_;
  bool is_ordering_ = false;
  std::size_t lists_ = 0; ///< That are being read.
};

remote_host_handle::behavior_type
remote_host(watched_pointer<remote_host_handle, remote_host_state> self, host_address address,
            remote_host_dependencies dependencies, remote_host_options options);

} // namespace trunkline
