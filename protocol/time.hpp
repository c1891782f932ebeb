/// Times: microseconds since 1970 in UTC, as the database keeps them, and their text forms.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace trunkline {

/// A moment in UTC with microseconds.
using time_point = std::chrono::sys_time<std::chrono::microseconds>;

/// Tells the time. The engine passes the system's clock, tests a fake one.
using wall_clock = std::function<time_point()>;

/// Returns microseconds since 1970, the form of every time column.
constexpr std::int64_t to_micros(time_point at) {
  return at.time_since_epoch().count();
}

constexpr time_point from_micros(std::int64_t micros) {
  return time_point{std::chrono::microseconds{micros}};
}

/// Returns "2026-11-25T17:19:45.123Z", the form of Mastodon's API. Years outside 0 to 9999 are
/// clamped.
std::string to_iso8601(time_point at);

/// Returns "2026-11-25", the form of dates in Mastodon's API.
std::string to_iso8601_date(time_point at);

} // namespace trunkline
