/// The codes of every failure that Trunkline reports, and how to make and read one.
///
/// A failure is a `caf::error`: a code from `errc`, and a context that names the thing that was
/// wrong ("status: must not be blank"), fit to be shown to whoever sent it. It never holds a
/// secret.
#pragma once

#include "protocol/time.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

/// At most 255 values: `caf::error` holds eight bits. The comment gives the HTTP status.
enum class errc : std::uint8_t {
  malformed = 1,         ///< Cannot be parsed. 400
  unauthenticated = 2,   ///< No valid token, code or password. 401
  forbidden = 3,         ///< Known, but not allowed. 403
  not_found = 4,         ///< No such thing, or not for this caller. 404
  conflict = 5,          ///< Contradicts what is stored. 409
  too_large = 6,         ///< Larger than a named limit. 413
  invalid = 7,           ///< Well-formed, but the values are refused. 422
  rate_limited = 8,      ///< Too many requests from this caller. 429
  unavailable = 9,       ///< Not now: no ticket, draining, database away. 503
  timed_out = 10,        ///< A deadline passed. 503
  storage_full = 11,     ///< No space left; nothing changed. 507
  storage_busy = 12,     ///< Locked too long; nothing changed. 503
  storage_broken = 13,   ///< I/O error in write, sync or commit: the process must end. 500
  commit_unknown = 14,   ///< Connection lost in COMMIT and not resolved in time. 503
  storage_refused = 15,  ///< The database refuses the statement: a bug, or an unsafe server. 500
  unique_violation = 16, ///< A unique index refuses the row; stores translate it. 409
  config_invalid = 17,   ///< The configuration is refused. Exit 78
  already_running = 18,  ///< Another process holds the folder. Exit 75
  crashed = 19,          ///< The actor failed while handling the message. 500
  quarantined = 20,      ///< The actor crashed too often and is not restarted for now. 503
  insecure = 21,         ///< Would be unsafe: refused until told twice. Exit 78
  gone = 22,             ///< Was there once and never will be again. 410
  not_allowed = 23,      ///< The path has other methods. 405
};

/// The highest value of `errc`.
inline constexpr auto errc_last = errc::not_allowed;

/// Makes an error; found by `caf::error` through argument-dependent lookup.
caf::error make_error(errc code);

/// Makes an error whose context names what was wrong.
caf::error make_error(errc code, std::string context);

/// Makes an error that is out of date at `until`: nobody should remember it longer.
caf::error make_error(errc code, std::string context, time_point until);

/// Returns the code of `failure`. An error of CAF's own is mapped: a timeout to `timed_out`,
/// everything else to `crashed`.
errc code_of(const caf::error& failure);

/// Returns the context of `failure`, or its code in words when it has none.
std::string context_of(const caf::error& failure);

/// Returns when `failure` is out of date, if that is known.
std::optional<time_point> until_of(const caf::error& failure);

/// Returns the name of `code`, as in the enumeration: "not_found".
std::string_view to_string(errc code);

} // namespace trunkline
