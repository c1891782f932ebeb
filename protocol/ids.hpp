/// The identifiers of Trunkline: 64-bit numbers that sort by time, one type per kind of thing, so
/// that a post's id is never taken for an account's.
///
/// Layout, from the high end: 48 bits of milliseconds since 1970, 8 bits of the node's slot, 8 bits
/// of a counter. Ids are positive; 0 is "none".
#pragma once

#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace trunkline {

/// A 64-bit id of one kind. Trivially copyable; compares by value.
template <class Kind>
struct basic_id {
  std::int64_t value = 0;

  constexpr explicit operator bool() const noexcept { return value != 0; }
  friend constexpr auto operator<=>(basic_id, basic_id) noexcept = default;
};

using account_id = basic_id<struct account_kind>;
using post_id = basic_id<struct post_kind>;
using app_id = basic_id<struct app_kind>;
using endpoint_id = basic_id<struct endpoint_kind>;
using host_id = basic_id<struct host_kind>;
using audience_id = basic_id<struct audience_kind>;

/// A position in the log; 0 lies before the first row.
using log_seq = std::int64_t;

/// Returns the decimal form, as in URLs and JSON.
template <class Kind>
std::string to_string(basic_id<Kind> id) {
  return std::to_string(id.value);
}

/// Reads a positive decimal number of at most 19 digits without sign, space or leading zero.
/// Fails with `errc::not_found`: an id that cannot exist names nothing.
caf::expected<std::int64_t> parse_id(std::string_view text);

/// Returns the id with the given parts; `at` is cut to milliseconds.
std::int64_t make_id(time_point at, std::uint8_t slot, std::uint8_t counter);

/// Returns the time in `id`, in whole milliseconds.
time_point time_of(std::int64_t id);

/// Returns the slot in `id`.
std::uint8_t slot_of(std::int64_t id);

/// Returns the smallest id of `slot` that is not before `now` and greater than `floor`.
/// A `floor` far ahead of `now` (a clock that stepped back) is honoured: ids never go back.
std::int64_t next_id(time_point now, std::uint8_t slot, std::int64_t floor);

} // namespace trunkline

template <class Kind>
struct std::hash<trunkline::basic_id<Kind>> {
  std::size_t operator()(trunkline::basic_id<Kind> id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
