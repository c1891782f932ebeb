/// The exceptions of one host that wait: units that their lanes passed by.
///
/// Those of one endpoint about one object go in the order of the log, one at a time; only the first
/// of them has a turn. Every call costs the logarithm of what is there. Plain values without a
/// clock; one thread.
#pragma once

#include "protocol/delivery_unit.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {

/// How the error of an exception begins that an operator ordered to be sent again.
inline constexpr auto ordered_again = std::string_view{"ordered again"};

struct waiting_exception {
  delivery_unit unit;
  delivery_exception row;
  bool is_ordered = false;  ///< By an operator: no flush or drain of before holds for it.
  std::uint64_t probed = 0; ///< Number of its last request as a probe.
};

class exception_queue {
public:
  /// Adds one, or replaces the one of this unit.
  void put(waiting_exception next);
  /// Returns null when it does not wait here. Good until the next change.
  const waiting_exception* find(const delivery_unit& unit) const;
  /// Tells whether it waited here. One that is out is so no more.
  bool erase(const delivery_unit& unit);

  /// A request for it is under way: the others about its object have no turn.
  void set_out(const delivery_unit& unit, bool is_out);
  bool is_out(const delivery_unit& unit) const;

  /// Tells whether something about the object of `unit` waits for its endpoint.
  bool holds(const delivery_unit& unit) const;
  /// Returns all about the object of `unit` for its endpoint, in order.
  std::vector<waiting_exception> about(const delivery_unit& unit) const;
  std::vector<waiting_exception> all() const; ///< By their keys.

  /// Returns the one whose turn came first, if it came by `now`. Null: none.
  const waiting_exception* due(time_point now) const;
  /// Returns the one that was tried least lately as a probe, whether it is its turn or not.
  const waiting_exception* for_probe() const;
  /// Returns when the oldest of them was written; nothing: none waits.
  std::optional<time_point> oldest_at() const;
  /// Returns when the next turn comes.
  std::optional<time_point> next_due() const;

  /// The clock stood still: whoever was not due at `since` waits longer by `span`. Returns them.
  std::vector<waiting_exception> postpone(time_point since, std::chrono::microseconds span);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

private:
  struct object_place {
    endpoint_id endpoint;
    object_key object;
    friend constexpr auto operator<=>(const object_place&, const object_place&) noexcept = default;
  };
  struct object_line {
    std::map<log_seq, waiting_exception> units; ///< Not empty.
    std::optional<log_seq> out;
  };
  using line_map = std::map<object_place, object_line>;

  static object_place key_of(const delivery_unit& unit) { return {unit.to->id, unit.object}; }
  void show(const object_place& key, const object_line& of);
  void hide(const object_place& key, const object_line& of);

  line_map lines_;
  std::set<std::pair<time_point, object_place>> turns_;     ///< Of lines of which none is out.
  std::set<std::pair<std::uint64_t, object_place>> probes_; ///< Likewise.
  std::multiset<time_point> written_at_;
  std::size_t size_ = 0;
};

} // namespace trunkline
