/// What waits for one remote host: a few references per class in lanes, and how much more the log
/// has.
///
/// A lane is (endpoint, author); one of its units is out at a time, over both classes. What does
/// not fit is counted, not kept: `behind` is then set, and `wish` says what to read again. Order in
/// a lane is that of the log. Pure values; one thread.
#pragma once

#include "protocol/delivery_progress.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/unit_list.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace trunkline {

struct delivery_queue_limits {
  std::size_t references_max = 64;         ///< Waiting per class; the log has the rest.
  std::size_t lane_max = 8;                ///< Of those in one lane.
  std::size_t refill_at = 32;              ///< Reads again when no more than this wait.
  std::size_t acked_max = acked_units_max; ///< Settled behind what is open: past it no refill.
  std::uint32_t direct_share = 8;          ///< Direct units before a bulk one.
};

/// A unit in memory, and what is known of its failures.
struct queued_unit {
  delivery_unit unit;
  std::uint64_t failed_sent = 0; ///< Number of its last request that failed; 0: none.
  std::int64_t own_failures = 0; ///< Requests that its host got whole and did not take.
};

/// What to read from the log: units of the class from `from` to `upto`.
struct refill_wish {
  delivery_class cls = delivery_class::bulk;
  log_seq from = 0;
  log_seq upto = 0;
};

class delivery_queue {
public:
  explicit delivery_queue(delivery_queue_limits limits = {}) : limits_{limits} {}

  /// Begins where the books say; once, before anything is taken. Units that were offered before it
  /// are kept when they are all there is.
  void begin(delivery_class cls, const class_cursor& start);

  /// Takes units in the order of the log, all of a row at once; rows that were offered before are
  /// left out. What was offered up to `previous` and did not come is left to the log, and with
  /// `keep` false all of it: units are then only counted.
  void offer(const offered_before& previous, std::span<const delivery_unit> units, bool keep);

  /// Tells whether something that was offered did not come: the books must say where it begins, and
  /// nothing is read from the log until then.
  bool needs_cursor() const { return classes_[0].unsure || classes_[1].unsure; }
  void resume(delivery_class cls, const class_cursor& now);

  /// Tells whether `take_next` would return something.
  bool can_take() const;
  /// Returns the next unit whose lane is free, which is then out.
  std::optional<queued_unit> take_next();

  /// The unit is out or waits no longer: delivered, dead, or covered by an exception.
  void settle(const delivery_unit& unit);
  /// A unit that was out goes back to the head of its lane; other lanes go first.
  void put_back(queued_unit unit);

  /// Takes the waiting units whose last failed request was sent before request `sent`.
  std::vector<queued_unit> take_failed_before(std::uint64_t sent);
  /// Takes the waiting units that have failed `failures` times by themselves.
  std::vector<queued_unit> take_often_failed(std::int64_t failures);

  /// Returns what to read from the log now, if anything; then waits for `refilled` or
  /// `refill_failed`. With `at_once` also when more than `refill_at` wait.
  std::optional<refill_wish> wish(delivery_class cls);
  /// Everything of the class from the wish's begin to `read_upto` is in `units`.
  void refilled(const refill_wish& wish, std::span<const delivery_unit> units, log_seq read_upto);
  void refill_failed(delivery_class cls) { of(cls).refilling = false; }

  /// Tells how far the class is; without what was settled.
  class_progress position(delivery_class cls) const;
  bool is_behind(delivery_class cls) const { return of(cls).left.has_value(); }
  bool is_behind() const {
    return is_behind(delivery_class::direct) || is_behind(delivery_class::bulk);
  }
  std::size_t waiting(delivery_class cls) const { return of(cls).waiting; }
  std::size_t waiting() const { return classes_[0].waiting + classes_[1].waiting; }
  std::size_t in_flight() const { return out_.size(); }
  bool is_empty() const { return waiting() == 0 && out_.empty() && !is_behind(); }

private:
  struct lane_key {
    endpoint_id endpoint;
    account_id author;
    friend constexpr auto operator<=>(const lane_key&, const lane_key&) noexcept = default;
  };
  struct lane {
    lane_key key;
    std::deque<queued_unit> units;
  };
  struct class_queue {
    std::list<lane> lanes; ///< None is empty; the first goes first.
    std::size_t waiting = 0;
    bool begun = false;
    bool unsure = false; ///< `left` may lie before what is open: where units are missing.
    std::optional<log_seq> joined_at; ///< Up to where others had units, before it began.
    std::optional<log_seq> left;      ///< The first unit that the log has and memory may not.
    std::optional<time_point> left_at;
    log_seq counted_upto = 0; ///< The last unit counted and not kept.
    std::int64_t counted = 0; ///< Units counted and not kept.
    log_seq received_upto = 0;
    std::set<unit_key> settled; ///< From the first open one on.
    bool refilling = false;
    bool stalled = false; ///< The last refill found no room; nothing has left since.
  };

  static lane_key lane_of(const delivery_unit& unit) { return {unit.to->id, unit.author}; }
  class_queue& of(delivery_class cls) { return classes_[index_of(cls)]; }
  const class_queue& of(delivery_class cls) const { return classes_[index_of(cls)]; }
  bool is_known(const class_queue& in, const delivery_unit& unit) const;
  lane* find_lane(class_queue& in, const lane_key& key);
  bool keep(class_queue& in, const delivery_unit& unit);
  void count(class_queue& in, const delivery_unit& unit);
  static void note_gap(class_queue& in, log_seq previous, std::optional<time_point> at);
  std::optional<queued_unit> take_from(class_queue& in);
  template <class Predicate>
  std::vector<queued_unit> take_heads(Predicate is_wanted);
  std::optional<log_seq> first_open(const class_queue& in, delivery_class cls) const;

  delivery_queue_limits limits_;
  std::array<class_queue, delivery_classes> classes_;
  std::map<unit_key, delivery_unit> out_;
  std::set<lane_key> busy_;
  std::uint32_t direct_in_a_row_ = 0;
};

} // namespace trunkline
