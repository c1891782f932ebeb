/// What waits for one remote host: a few references per class, and how much more the log has.
///
/// A lane is (endpoint, author); one of its units is out at a time, over both classes, in the order
/// of the log. What does not fit is counted, not kept: `behind` is then set, and `wish` says what
/// to read. A waiting Create or Update whose object is deleted later, and an Update with a later
/// one, are not sent; nor is what waits of a deleted account. Pure values; one thread.
#pragma once

#include "protocol/delivery_progress.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/queued_unit.hpp"
#include "protocol/unit_list.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace trunkline {

struct delivery_queue_limits {
  std::size_t references_max = 64;         ///< Waiting per class; the log has the rest.
  std::size_t lane_max = 8;                ///< Of those in one lane.
  std::size_t refill_at = 32;              ///< Reads again when no more than this wait.
  std::size_t acked_max = acked_units_max; ///< Settled behind what is open in memory.
  std::uint32_t direct_share = 8;          ///< Direct units before a bulk one.
  std::size_t gone_max = 256;              ///< Deleted accounts remembered, for refills.
};

class delivery_queue {
public:
  explicit delivery_queue(delivery_queue_limits limits = {}) : limits_{limits} {}
  delivery_queue(delivery_queue&&) = default; // no copies: lanes know their places
  delivery_queue& operator=(delivery_queue&&) = default;

  /// Begins where the books say; once, before anything is taken. Units that were offered before it
  /// are kept when they are all there is. An earlier process may have sent rows up to
  /// `earlier_upto`.
  void begin(delivery_class cls, const class_cursor& start, log_seq earlier_upto = 0);

  /// Takes units in the order of the log, all of a row at once; rows that were offered before are
  /// left out. What was offered up to `previous` and did not come is left to the log, and with
  /// `keep` false all of it: units are then only counted.
  void offer(const offered_before& previous, std::span<const delivery_unit> units, bool keep);

  /// Of the rows offered next these units are settled: the log has them, and they are not sent.
  void note_settled(delivery_class cls, std::span<const unit_key> units);

  /// Tells whether something that was offered did not come: the books must say where it begins, and
  /// nothing is read from the log until then.
  bool needs_cursor() const { return classes_[0].unsure || classes_[1].unsure; }
  void resume(delivery_class cls, const class_cursor& now);
  /// Nothing was offered for a while: what waits goes back to the log, and `resume` must come.
  void forget_waiting();
  /// Everything from `from` on is read from the log again, what was settled there included, which
  /// are `units`; but for what is out.
  void reopen(delivery_class cls, log_seq from, std::int64_t units,
              std::optional<time_point> oldest_at);

  /// Tells whether `take_next` would return something. What replaced a unit that was offered before
  /// this queue began is held until `old_may_go`, and its lane with it.
  bool can_take(bool old_may_go = true) const;
  /// Returns the next unit whose lane is free, which is then out. `old_may_go` stays true.
  std::optional<queued_unit> take_next(bool old_may_go = true);
  void hold_again() { released_ = false; } ///< It is false once more.

  /// Takes the units that a later one has replaced since the last call, or whose account is gone;
  /// they are settled here.
  std::vector<delivery_unit> take_coalesced() { return std::exchange(coalesced_, {}); }
  std::vector<delivery_unit> take_cancelled() { return std::exchange(cancelled_, {}); }

  void settle(const delivery_unit& unit); ///< Out, or waits no longer: it came to an end.
  /// A unit that was taken goes back to the head of its lane; other lanes go first. One that was
  /// replaced meanwhile is coalesced.
  void put_back(queued_unit unit);

  /// Takes the waiting units whose last failed request was sent before request `sent`.
  std::vector<queued_unit> take_failed_before(std::uint64_t sent);
  /// Takes the waiting units that have failed `failures` times by themselves.
  std::vector<queued_unit> take_often_failed(std::int64_t failures);
  /// Likewise those that are named, wherever in their lanes.
  std::vector<queued_unit> take_where(const std::function<bool(const delivery_unit&)>& is_named);

  /// Returns what to read from the log now, if anything; `refilled` or `refill_failed` follows.
  std::optional<refill_wish> wish(delivery_class cls);
  /// Everything of the class from the wish's begin to `read_upto` is in `units`; rows up to
  /// `gone_upto` are no longer in the log.
  void refilled(const refill_wish& wish, std::span<const delivery_unit> units, log_seq read_upto,
                log_seq gone_upto = 0);
  void refill_failed(delivery_class cls) { of(cls).refilling = false; }

  class_progress position(delivery_class cls) const; ///< Without what was settled.
  bool is_open(const delivery_unit& unit) const;     ///< Offered, and neither settled nor covered.
  bool is_behind(delivery_class cls) const { return of(cls).left.has_value(); }
  bool is_behind() const { return classes_[0].left || classes_[1].left; }
  std::size_t waiting() const { return classes_[0].waiting + classes_[1].waiting; }
  bool is_empty() const { return waiting() == 0 && out_ == 0 && !is_behind(); }

private:
  struct lane_key {
    endpoint_id endpoint;
    account_id author;
    friend constexpr auto operator<=>(const lane_key&, const lane_key&) noexcept = default;
  };
  enum class lane_place : std::uint8_t { ready, held, busy, none }; ///< None: nothing waits.
  struct lane;
  struct lane_part {
    std::vector<queued_unit> units; ///< Of one class, in order.
    lane_place place = lane_place::none;
    std::list<lane*>::iterator at; ///< There.
  };
  struct lane { // not empty, or one of its units is out
    lane_key key;
    bool is_busy = false;
    std::array<lane_part, delivery_classes> parts;
  };
  enum class unit_place : std::uint8_t { waiting, out, taken };
  struct open_unit {
    unit_key key;
    time_point at;
    unit_place place = unit_place::waiting;
  };
  struct class_queue {
    std::array<std::list<lane*>, 3> lanes; ///< By place; the first goes first.
    std::vector<open_unit> open;           ///< Those in memory, sorted.
    std::size_t waiting = 0;
    std::size_t failed = 0; ///< Waiting ones that failed before.
    bool begun = false;
    bool unsure = false; ///< `left` may lie before what is open: where units are missing.
    std::optional<log_seq> joined_at; ///< Up to where others had units, before it began.
    log_seq old_upto = 0;             ///< Units up to here were another's before it began.
    std::optional<log_seq> left;      ///< The first unit that the log has and memory may not.
    std::optional<time_point> left_at;
    log_seq counted_upto = 0; ///< The last unit counted and not kept.
    std::int64_t counted = 0; ///< Units counted and not kept.
    log_seq received_upto = 0;
    log_seq gone_upto = 0;
    std::set<unit_key> settled; ///< From the first open one on.
    std::set<unit_key> held;    ///< Units in the log that replaced an old one.
    bool refilling = false;
    std::uint32_t round = 0;
    bool stalled = false; ///< The last refill found no room; nothing has left since.

    std::optional<log_seq> first_open() const;
    bool is_known(const unit_key& key) const;
    void note_settled(const unit_key& key);
    void trim();
  };
  using lane_map = std::map<lane_key, lane>;
  static lane_key lane_of(const delivery_unit& unit) { return {unit.to->id, unit.author}; }
  class_queue& of(delivery_class cls) { return classes_[index_of(cls)]; }
  const class_queue& of(delivery_class cls) const { return classes_[index_of(cls)]; }
  struct left_units {
    std::optional<log_seq> from;
    std::optional<time_point> at;
  };

  // delivery_queue.cpp: what comes
  void count(class_queue& in, const delivery_unit& unit);
  static void note_gap(class_queue& in, log_seq previous, std::optional<time_point> at);
  // delivery_queue_lanes.cpp: what is in memory
  bool has_room(const class_queue& in) const;
  bool keep(class_queue& in, const delivery_unit& unit);
  left_units keep_all(class_queue& in, std::span<const delivery_unit> units);
  void skip(class_queue& in, const delivery_unit& unit, const delivery_unit* newer);
  void replace(const delivery_unit& newer);
  void cancel_for(const delivery_unit& account_gone);
  bool is_gone(const delivery_unit& unit) const;
  bool hold(const delivery_unit& newer);
  void hold_old(delivery_class cls);
  void clear_waiting(delivery_class cls);
  void leave_to_log(delivery_class cls, log_seq from);
  void place(lane& each, delivery_class cls);
  void tidy(lane_map::iterator each);
  queued_unit remove(lane& from, delivery_class cls, std::size_t index, unit_place to);
  lane_map::iterator free_lane(const delivery_unit& unit);
  void release();
  std::optional<queued_unit> take_from(delivery_class cls);
  template <class Predicate>
  std::vector<queued_unit> take_heads(Predicate is_wanted);

  delivery_queue_limits limits_;
  std::array<class_queue, delivery_classes> classes_;
  lane_map lanes_;
  std::size_t out_ = 0;
  bool released_ = false; ///< What replaced old units may go.
  std::uint32_t direct_in_a_row_ = 0;
  std::map<account_id, log_seq> gone_; ///< Deleted accounts, and the rows of their Delete.
  std::vector<delivery_unit> coalesced_;
  std::vector<delivery_unit> cancelled_;
};

} // namespace trunkline
