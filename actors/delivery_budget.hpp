/// The requests that a node may have under way to all hosts together, and who is next.
///
/// Each request holds a place of one of four budgets; one that has become slow gives its place to
/// whoever waits and goes on in a fifth. A place that becomes free goes to the registrable domains
/// in turn, and within a domain to whoever of its hosts waits longest. A domain at its limit holds
/// nobody up. Every call costs the logarithm of what is there at most. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

enum class budget_kind : std::uint8_t {
  healthy,
  unproven, ///< The host has never answered well.
  retry,    ///< Between a failure of the host and its next success.
  probe,
};

inline constexpr std::size_t budget_kinds = 4;

/// Returns the kind's name, as in metrics: "healthy".
std::string_view to_string(budget_kind kind);

struct delivery_budget_limits {
  std::int64_t healthy = 640;
  std::int64_t unproven = 256;
  std::int64_t retry = 64;
  std::int64_t probe = 64;
  std::int64_t slow = 2'048;
  std::int64_t domain_fresh = 64; ///< Places of one domain, of all four kinds together.
  std::int64_t domain_slow = 128;
};

class delivery_place;

/// A place; given back when the last copy is gone.
using budget_place = std::shared_ptr<delivery_place>;

class delivery_budget {
public:
  using clock_point = std::chrono::steady_clock::time_point;

  /// Called with a place on the thread of whoever gave one back; must not block. May let it go at
  /// once: the next one then gets it.
  using waker = std::function<void(budget_place)>;

  explicit delivery_budget(
      delivery_budget_limits limits = {},
      std::function<clock_point()> now = [] { return std::chrono::steady_clock::now(); });

  /// Returns a place of `kind` for a host of `domain`, its registrable domain. Null when there is
  /// none: `wake` is called once there is.
  budget_place take(budget_kind kind, const std::string& domain, waker wake);

  /// Moves the place to the slow budget: its fresh place goes to whoever waits. `end` ends the
  /// request behind it early: it is called at most once, when there is no more room among the slow
  /// ones, or those of the domain, and this one's `patience` since it was taken was over first.
  /// Returns nothing when it has moved, or had before. When there is no room and nobody's patience
  /// is over it returns how long to wait before asking again: the place stays fresh, like those of
  /// kind `probe`, which never move.
  std::optional<std::chrono::microseconds> slow_down(const budget_place& place,
                                                     std::chrono::microseconds patience,
                                                     std::function<void()> end);

  std::int64_t limit(budget_kind kind) const;
  std::int64_t in_use(budget_kind kind) const; ///< Fresh ones.
  std::int64_t slow_in_use() const;
  std::int64_t waiting(budget_kind kind) const;
  std::size_t domains() const; ///< That hold or wait for a place.

private:
  class state;
  friend class delivery_place;
  std::shared_ptr<state> state_;
};

} // namespace trunkline
