/// What operators order of a remote host beside pause, resume and retry, and what they are shown of
/// its queue.
#pragma once

#include "protocol/delivery_unit.hpp"
#include "protocol/host_address.hpp"
#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace trunkline {

/// Delivers what waits by now, and takes nothing new until it is resumed.
struct drain_wish {};
/// Cancels what waits, but for Delete, Undo and Block.
struct flush_wish {};
/// Bounds what is sent to the host; nothing lifts a bound. Both from 1.
struct limit_wish {
  std::optional<std::int64_t> in_flight;
  std::optional<std::int64_t> per_s;
};
/// Sends again what the host was owed: everything from a row or a time on, or the newest row about
/// one object. Exactly one is set.
struct replay_wish {
  std::optional<log_seq> from_seq;
  std::optional<time_point> from_time;
  std::optional<object_key> about;
};
/// Tries dead letters once more, or forgets them; none named: all of the host.
struct dead_letters_wish {
  std::vector<unit_key> units;
  bool discard = false;
};

/// What an operator orders of a host beside pause, resume and retry.
struct operate_host {
  host_address host;
  std::variant<drain_wish, flush_wish, limit_wish, replay_wish, dead_letters_wish> wish;
  bool dry_run = false; ///< Only tells how many units it would reach.
};
struct operated_host {
  std::int64_t units = 0; ///< Reached; of a backlog at most `units_counted_max` are looked at.
  /// Stays: of a flush Delete, Undo and Block, of dead letters those that were taken back since.
  std::int64_t kept = 0;
  bool is_all = true; ///< False: there are more than were looked at.
};
inline constexpr std::int64_t units_counted_max = 100'000;

/// Asks what waits for a host, by row.
struct list_queue {
  host_address host;
  unit_key after;         ///< Units after it.
  std::size_t limit = 50; ///< At most 500.
};
struct queue_item {
  unit_key unit;
  std::string inbox;
  account_id author;
  log_kind kind = log_kind::create;
  object_key object;
  delivery_class cls = delivery_class::bulk;
  time_point at;
  bool in_flight = false;
  bool is_exception = false;
  std::int64_t attempts = 0;
  std::string error;                     ///< Of its last try; "" for none.
  std::optional<time_point> next_try_at; ///< Of an exception.
};
struct host_queue {
  std::vector<queue_item> items; ///< In order of their keys.
  bool is_end = true;
};

} // namespace trunkline
