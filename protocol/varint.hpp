/// Numbers in groups of seven bits, low ones first, as lists in the database hold them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

inline void append_varint(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

/// Takes a number off the front; nothing when it is cut, or of more than 63 bits.
inline std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  auto value = std::uint64_t{0};
  for (auto shift = 0; shift < 63 && !bytes.empty(); shift += 7) {
    const auto group = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{group & 0x7fU} << shift;
    if (group < 0x80)
      return value;
  }
  return std::nullopt;
}

} // namespace trunkline
