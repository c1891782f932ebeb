/// The log reader: tails the log once for everybody on the node, and hands its rows to the fan-out,
/// each once and in the order of `seq`.
///
/// It begins after the newest row, or where it is told. Rows come as hints, which may be lost, late
/// or doubled: a hole is read from the log after 50 ms, and a poll every 500 ms repairs a lost
/// tail. A poll that finds the log's end is what caches live on (`apply_rows::end_seen_at`).
/// At most `outstanding_max` rows are handed on and not applied: past that hints are dropped, for
/// the log has them, and reading waits.
///
/// Hosts that fell behind read their units through it: a few at a time for all of the node, one
/// host after the other, so that those who return together leave room for other reads.
#pragma once

#include "actors/fanout_messages.hpp"
#include "actors/log_position.hpp"
#include "actors/log_reader_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/watched_actor.hpp"

#include <caf/expected.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace trunkline {

struct log_reader_options {
  std::optional<log_seq> start;            ///< Applied already; nothing: the log's newest row.
  std::chrono::milliseconds hole_wait{50}; ///< For a late hint, before the log is read.
  std::chrono::milliseconds poll_interval{500};
  std::size_t rows_max = 1'000;         ///< Read by one statement.
  std::size_t hints_max = 4'096;        ///< Rows kept behind a hole.
  std::int64_t outstanding_max = 4'096; ///< Rows that the fan-out has not applied.
  std::size_t refills_at_once = 4;      ///< Reads for hosts that fell behind.
  std::size_t refills_max = 16'384;     ///< That wait; more are refused.
};

struct log_reader_dependencies {
  std::vector<reader_handle> readers; ///< At least one.
  fanout_handle fanout;
  std::shared_ptr<log_position> position; ///< Not null.
  /// Told of rows that this node has committed, up to which; must not block. May be empty.
  std::function<void(log_seq upto)> on_commit;
};

class log_reader_state {
public:
  explicit log_reader_state(log_reader_handle::pointer self) : self_{self} {}

  log_reader_handle::behavior_type make_behavior(log_reader_dependencies dependencies,
                                                 log_reader_options options);

private:
  using steady_time = std::chrono::steady_clock::time_point;

  struct waiting_refill {
    missed_units wanted;
    caf::typed_response_promise<found_units> reply;
  };

  caf::result<found_units> read_units(const read_missed& wish);
  void begin_refills();
  void read_refill(waiting_refill next);
  void find_start();
  void begin_after(log_seq newest);
  void take(log_hint& hint);
  void hand_on_hints();
  void hand_on(std::vector<log_entry> rows, std::optional<steady_time> end_seen_at);
  void wait_at_hole();
  bool is_full() const;
  void poll();
  void read();
  void take_read(std::vector<log_entry> rows, steady_time began);
  log_report describe() const;

  log_reader_handle::pointer self_;
  log_reader_dependencies has_;
  log_reader_options options_;
  storage_handles storage_;             ///< Of which only the readers are used.
  std::optional<log_seq> start_;        ///< Nothing: not known yet.
  log_seq handed_ = 0;                  ///< Everything up to here went to the fan-out.
  std::map<log_seq, log_hint> waiting_; ///< Hints behind a hole, by the row before them.
  std::size_t waiting_rows_ = 0;
  bool reading_ = false;
  bool at_hole_ = false;
  std::uint64_t hole_epoch_ = 0;
  std::unordered_map<host_id, std::deque<waiting_refill>> refills_; ///< None is empty.
  std::deque<host_id> refill_turns_;                                ///< Those with one, in turn.
  std::size_t refills_waiting_ = 0;
  std::size_t refills_reading_ = 0;
  log_report counters_;
};

/// A failed read is tried again by the next poll.
log_reader_handle::behavior_type
log_reader(watched_pointer<log_reader_handle, log_reader_state> self,
           log_reader_dependencies dependencies, log_reader_options options);

} // namespace trunkline
