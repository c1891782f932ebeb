/// The dispatcher: rows of the log -> the hosts of this node that they are owed to; and the books
/// of what is settled. The node's are all shards of hosts, or those that it is told of.
///
/// Rows come as hints from the fan-out; those that have no room are read from the log later. It
/// begins after the smallest mark, so that after a crash all that is not settled is offered again;
/// for a shard that comes later it goes back to its mark, and only hosts there are offered what the
/// others had. A shard that leaves is offered nothing; when its hosts are gone and all that they
/// told is written, it is forgotten.
///
/// Once a second one transaction writes what changed. It wakes hosts that are due, a few at a time;
/// a host to which nothing is sent now is told of nothing and learns of it when it is due. The
/// fan-out and the hosts are made after it: it looks at its dependencies from `begin_delivery` on.
#pragma once

#include "actors/dispatcher_dependencies.hpp"
#include "actors/dispatcher_load.hpp"
#include "actors/dispatcher_messages.hpp"
#include "actors/dispatcher_options.hpp"
#include "actors/dispatcher_shards.hpp"
#include "actors/recipient_book.hpp"
#include "actors/watched_actor.hpp"
#include "protocol/delivery_books.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <caf/unit.hpp>

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace trunkline {

struct outbox_row;

class dispatcher_state {
public:
  explicit dispatcher_state(dispatcher_handle::pointer self) : self_{self} {}
  ~dispatcher_state();

  dispatcher_handle::behavior_type
  make_behavior(std::shared_ptr<const dispatcher_dependencies> dependencies,
                dispatcher_options options);

private:
  /// A host that has something open, or an exception that waits.
  struct known_host {
    host_address address;
    std::uint8_t shard = 0;
    bool withheld = false;                ///< Something was offered that its actor was not told of.
    bool is_waking = false;               ///< It was woken, and not heard of.
    std::optional<time_point> held_until; ///< Nothing is sent to it before.
    std::optional<time_point> look_at;    ///< When to wake it unless it is heard of.
    std::optional<time_point> queued_at;  ///< Its entry among the `looks_`.
    std::size_t offer_at = 0;             ///< Its place in `offers_`, from 1; 0: none.
    std::size_t settled = 0;              ///< Told after the checkpoint `settled_after`.
    std::int64_t settled_after = 0;
  };

  /// Units of one host, and up to where it was offered others before.
  struct new_units {
    host_id host;
    offered_before previous{};
    std::vector<delivery_unit> units;
  };

  struct waiting_cursor {
    host_address host;
    caf::typed_response_promise<host_cursor> reply;
  };
  using flush_reply = caf::typed_response_promise<caf::unit_t>;

  using leaving_ptr = std::shared_ptr<leaving_shards>;

  // dispatcher.cpp: rows to hosts
  void start();
  void take(dispatch_rows& news);
  void read_again();
  bool wants_to_read() const;
  void take_read(deliverable_rows read, log_seq seen);
  void pump();
  void ask_recipients();
  void expand(const std::map<account_id, std::vector<endpoint_id>>& present);
  void expand(const log_entry& row, const endpoint_on_host& to);
  void offer(new_units offered);
  dispatcher_report describe() const;

  // dispatcher_shards.cpp: which shards are here
  bool is_known(std::uint8_t shard) const;
  void own(const shard_set& wanted);
  void load();
  void begin_with(loaded_books read, const shard_set& gained);
  void seek();
  caf::result<void> give_up(const shard_set& wanted);
  void refuse_waiting(const shard_set& left);
  void stopped(const leaving_ptr& leaving);
  void keep(const leaving_ptr& leaving, const caf::error& failure);
  bool let_go_written();
  void let_go(const shard_set& left);

  // dispatcher_books.cpp: what hosts tell, and what is written
  void take(const host_progress& news);
  caf::result<host_cursor> adopt(const adopt_host& wish);
  void count_settled(known_host& host, const host_progress& news);
  bool is_written(const host_address& host) const;
  void answer(waiting_cursor waiting);
  host_cursor cursor_of(const host_address& host) const;
  open_units tell_open(const ask_open_units& wish) const;
  caf::result<void> flush();
  void tick();
  void read_blocks();
  void write();
  void write(checkpoint books, std::vector<outbox_row> events);
  void written(const checkpoint& books, const caf::error& failure);
  void answer_waiting();

  // dispatcher_hosts.cpp: the hosts that it looks after, and what others see of them
  known_host& know(host_id id, const host_address& address);
  void note_facts(const host_facts& facts, std::uint8_t shard);
  void look_after(host_id id, known_host& host, time_point at);
  void refused(host_id host);
  void heard_of(known_host& host);
  void wake_hosts();
  void wake(host_id id, known_host& host);
  void forget_settled();
  void read_board(const shard_set& gained);
  void read_page(host_id after);
  void take_page(std::vector<listed_host> page);
  void count_dead_letters(const host_progress& news);
  void feed_board();

  dispatcher_handle::pointer self_;
  std::shared_ptr<const dispatcher_dependencies> has_;
  dispatcher_options options_;
  delivery_books books_;
  recipient_book recipients_;
  bool begun_ = false; ///< The dependencies are there.
  shard_phases phases_;
  bool loaded_ = false;     ///< Some shards were.
  bool is_loading_ = false; ///< These:
  shard_set loading_;
  std::vector<leaving_ptr> leaving_;
  bool reading_ = false;
  bool asking_ = false;          ///< Recipients of the batch are being read.
  bool is_stuck_ = false;        ///< They could not be read.
  std::deque<log_entry> rows_;   ///< In order; all between `dispatched_` and `taken_`.
  std::vector<log_entry> batch_; ///< Being expanded.
  log_seq batch_upto_ = 0;
  log_seq taken_ = 0;      ///< Every row up to here is in `rows_`, the batch or dispatched.
  log_seq seen_ = 0;       ///< The newest row that a hint told of.
  bool is_unsure_ = true;  ///< The log may have rows that no hint told of.
  log_seq dispatched_ = 0; ///< Every row up to here was offered.
  log_seq reached_ = 0;    ///< Likewise, before the log was read again for new shards.
  std::int64_t readings_ =
      0; ///< Of the log, from a new place each; what an earlier one asks is void.
  std::array<log_seq, shard_count> earlier_upto_{}; ///< The newest row when the shard came.
  std::vector<const endpoint_on_host*> owed_;       ///< A row of the batch; kept for its room.
  std::vector<new_units> offers_;                   ///< Of the batch that is being expanded.
  std::unordered_map<host_id, known_host> hosts_;
  std::unordered_map<host_address, host_id> ids_;
  std::unordered_map<host_id, drained_host> drained_; ///< Hosts that take nothing after a row.
  std::int64_t outstanding_ = 0;
  using look = std::pair<time_point, host_id>;
  std::priority_queue<look, std::vector<look>, std::greater<>> looks_; ///< The next one first.
  std::size_t waking_ = 0; ///< Hosts woken in this second and not heard of.
  shard_set board_wanted_; ///< Shards whose hosts are to be read for it.
  shard_set board_pages_;  ///< Those of the pages that are being read.
  bool board_is_reading_ = false;
  bool board_is_read_ = false;
  std::optional<host_id> board_failed_at_; ///< Where reading hosts for it has failed.
  std::unordered_map<host_id, kept_letters> dead_letters_; ///< Of hosts that have any.
  std::unordered_map<host_id, std::int64_t> unseen_; ///< Offered to hosts not known by address.
  std::unordered_set<host_id> settling_; ///< Hosts that changed, and may have nothing any more.
  bool writing_ = false;
  std::int64_t writes_ = 1;      ///< Checkpoints begun, and the next one.
  std::int64_t early_write_ = 0; ///< That was ordered to come early.
  std::vector<waiting_cursor> adopting_;
  std::vector<flush_reply> flushing_;      ///< Answered by the checkpoint under way.
  std::vector<flush_reply> flushing_next_; ///< Answered by the one after it.
  time_point cleared_at_;
  dispatcher_report counters_;
};

dispatcher_handle::behavior_type
dispatcher(watched_pointer<dispatcher_handle, dispatcher_state> self,
           std::shared_ptr<const dispatcher_dependencies> dependencies, dispatcher_options options);

} // namespace trunkline
