/// The dates of HTTP headers (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
#pragma once

#include "protocol/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

/// Reads the form that senders must use; the two obsolete ones are none. The name of the day must
/// be one, but not that day's.
std::optional<time_point> parse_http_date(std::string_view text);

/// Cut to seconds. Years outside 0 to 9999 have no form: they are clamped.
std::string to_http_date(time_point at);

} // namespace trunkline
