/// What is kept of a remote host between two lives of its actor, and how it is delivered to.
#pragma once

#include "protocol/delivery_unit.hpp"
#include "protocol/host_health.hpp"
#include "protocol/http_signature.hpp"
#include "protocol/ids.hpp"
#include "protocol/object_key.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace trunkline {

/// The row of a host that has one.
struct host_facts {
  host_id id;
  host_state state = host_state::unproven;
  std::int64_t fail_streak = 0;
  std::optional<time_point> first_fail_at; ///< Of the streak.
  std::optional<time_point> next_try_at;
  std::int64_t window = 2;
  bool paused = false; ///< Written by pause and resume alone.
  /// Set by `drain`: units of later rows are cancelled. Like the limits and `flushed_upto` it is
  /// written by operators' commands alone.
  std::optional<log_seq> drained_after;
  std::optional<log_seq> drained_upto; ///< Set when it is resumed: units of later rows are sent.
  log_seq flushed_upto = 0; ///< Units up to here are cancelled, but for Delete, Undo and Block.
  std::optional<std::int64_t> limit_in_flight; ///< From 1; below the window's own bound.
  std::optional<std::int64_t> limit_per_s;     ///< Requests that begin in a second, from 1.
  signature_scheme scheme = signature_scheme::unknown;
  std::optional<time_point> last_ok_at;

  /// Tells whether the host takes nothing new.
  bool is_drained() const { return drained_after && !drained_upto; }
  /// Tells whether units of the row are cancelled by a drain, be it over or not.
  bool drains(log_seq seq) const {
    return drained_after && seq > *drained_after && (!drained_upto || seq <= *drained_upto);
  }

  friend bool operator==(const host_facts&, const host_facts&) = default;
};

/// How a row of `delivery_exception` stands; the column `status`.
enum class exception_status : std::uint8_t {
  waiting = 1, ///< Is tried again.
  dead = 2,    ///< Dead letter; holds back nothing.
};

/// A unit that its lane passed by: it failed where its host did not.
struct delivery_exception {
  unit_key unit;
  object_key object;
  exception_status status = exception_status::waiting;
  std::string error; ///< In words.
  std::int64_t attempts = 0;
  std::optional<time_point> next_try_at;

  friend bool operator==(const delivery_exception&, const delivery_exception&) = default;
};

} // namespace trunkline
