#include "protocol/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace trunkline {

namespace {

/// What may follow a first byte: how many bytes, and the range of the first of them, which is what
/// keeps out overlong forms, surrogates and what lies past the last code point.
struct sequence {
  std::size_t following = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
  bool valid = true;
};

sequence sequence_of(std::uint8_t first) {
  if (first < 0x80)
    return {};
  if (first < 0xc2 || first > 0xf4)
    return {.valid = false};
  if (first < 0xe0)
    return {1};
  if (first < 0xf0)
    return {2, first == 0xe0 ? std::uint8_t{0xa0} : std::uint8_t{0x80},
            first == 0xed ? std::uint8_t{0x9f} : std::uint8_t{0xbf}};
  return {3, first == 0xf0 ? std::uint8_t{0x90} : std::uint8_t{0x80},
          first == 0xf4 ? std::uint8_t{0x8f} : std::uint8_t{0xbf}};
}

} // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto expected = sequence_of(static_cast<std::uint8_t>(text[at]));
    if (!expected.valid || text.size() - at <= expected.following)
      return false;
    for (std::size_t i = 1; i <= expected.following; ++i) {
      const auto byte = static_cast<std::uint8_t>(text[at + i]);
      const auto low = i == 1 ? expected.low : std::uint8_t{0x80};
      const auto high = i == 1 ? expected.high : std::uint8_t{0xbf};
      if (byte < low || byte > high)
        return false;
    }
    at += expected.following;
  }
  return true;
}

} // namespace trunkline
