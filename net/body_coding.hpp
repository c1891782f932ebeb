/// INTERNAL to net: undoes the Content-Encoding of an answer's body.
///
/// Pure; any thread.
#pragma once

#include <caf/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace trunkline {

/// Returns `body` without its coding. `coding` is the value of Content-Encoding: none, "identity",
/// "gzip" or "deflate"; several at once, and all others, are refused. Never holds more than
/// `bytes_max` of the result. Fails with `errc::invalid` (the coding) `errc::malformed` (the bytes)
/// or `errc::too_large`.
caf::expected<std::string> decode_body(std::string_view coding, std::string body,
                                       std::size_t bytes_max);

} // namespace trunkline
