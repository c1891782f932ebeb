/// One HTTP request as a fake host reads it: the minimum, by hand, without a copy.
#pragma once

#include <cstddef>
#include <string_view>

namespace trunkline::bench {

/// Views into the bytes that were read.
struct farm_request {
  std::string_view method;
  std::string_view target;
  std::string_view head; ///< Header lines without the first one.
  std::string_view body;
  std::string_view digest;
  std::string_view signature;
  std::size_t bytes = 0; ///< All of it.
  bool is_last = false;  ///< "Connection: close".
};

enum class reading { more, whole, broken };

/// Reads the request that `text` begins with. Bodies need a Content-Length.
reading read_request(std::string_view text, farm_request& request);

/// Returns the value of a header by its lower-case name; "" when there is none.
std::string_view header_of(const farm_request& request, std::string_view name);

/// Returns the value of NAME in "?NAME=VALUE&..." of a target, as it stands there.
std::string_view query_of(std::string_view target, std::string_view name);

} // namespace trunkline::bench
