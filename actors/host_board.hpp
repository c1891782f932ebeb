/// The board of remote hosts: how each of this node is, for whoever asks, without asking its actor.
///
/// A line per host that has a row, resident, at most about 300 bytes. Host actors write how they do
/// (`put`), the dispatcher what its books say (`note_books`); lists, totals and the worst are read
/// by anybody. A reader holds a lock for one of 64 parts at a time, and copies only what it
/// returns: 100,000 hosts are listed in a few milliseconds while everything else goes on. Any
/// thread.
#pragma once

#include "protocol/delivery_progress.hpp"
#include "protocol/host_address.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/host_health.hpp"
#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

/// What a host actor says of itself.
struct host_health_line {
  host_facts facts; ///< State, streak, next try, pause, limits, window, last success.
  std::chrono::microseconds latency{0}; ///< Mean of its answers; 0: none yet.
  std::int64_t in_flight = 0;
  bool behind = false;
  std::string last_error; ///< "connect timeout"; cut to `host_error_bytes_max`; "" for none.
  std::optional<time_point> last_error_at;
  std::optional<time_point> oldest_exception_at; ///< Of those that wait.
};
inline constexpr std::size_t host_error_bytes_max = 80;

struct host_line {
  host_address address;
  host_health_line health;
  delivery_sums sums;            ///< Since the node started; what waited then counts as offered.
  std::int64_t exceptions = 0;   ///< That wait; part of `sums.pending`.
  std::int64_t dead_letters = 0; ///< That are kept.
  std::optional<time_point> oldest_in_log; ///< Of what waits in turn.
  std::optional<time_point> oldest_at;     ///< Of all that waits; the board finds it.
};

/// In which order hosts are listed; hosts that are equal in it come by id.
enum class host_order : std::uint8_t {
  backlog,  ///< The most that waits first.
  oldest,   ///< What has waited longest first; hosts for which nothing waits last.
  failures, ///< The longest streak first.
  latency,  ///< The slowest first.
  name,
};

/// Where a list of hosts goes on: after this host. Of `number` and `name` the order has one.
struct host_place {
  std::int64_t number = 0;
  std::string name;
  host_id id;
};

/// Returns the place of `host` in a list of that order.
host_place place_of(host_order order, const host_line& host);

struct host_list_wish {
  host_order order = host_order::backlog;
  std::optional<host_state> state; ///< Only hosts in this state.
  bool only_paused = false;
  bool only_behind = false;
  bool only_cancelled = false; ///< Only hosts that operators have flushed or drained, ever.
  std::string part;            ///< Only hosts whose name contains it, with the port after a colon.
  std::optional<host_place> after;
  std::size_t limit = 50;
};

struct host_totals {
  std::array<std::int64_t, 9> by_state{}; ///< At the code of `host_state`; 0 is not used.
  std::int64_t hosts = 0;
  std::int64_t paused = 0;
  std::int64_t behind = 0;
  std::int64_t in_flight = 0;
  std::int64_t exceptions = 0;
  std::int64_t dead_letters = 0;
  delivery_sums sums;
  std::optional<time_point> oldest_at;

  host_totals& operator+=(const host_totals& more);
};

class host_board {
public:
  host_board();
  host_board(const host_board&) = delete;
  host_board& operator=(const host_board&) = delete;
  ~host_board();

  /// A host that has no line gets one.
  void put(const host_address& address, const host_health_line& health);
  /// As storage has it: only for a host that has no line.
  void load(host_line line);

  /// Hosts that are no longer of this node.
  void forget(const std::function<bool(const host_address& host)>& are_gone);

  /// What the books say of a host; `change` is added to its sums but for `pending`, which it is.
  void note_books(host_id id, const host_address& address, const delivery_sums& change,
                  std::int64_t exceptions, std::int64_t dead_letters,
                  std::optional<time_point> oldest_in_log);

  std::optional<host_line> find(const host_address& address) const;
  std::vector<host_line> list(const host_list_wish& wish) const;
  /// Adds up all lines.
  host_totals totals() const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace trunkline
