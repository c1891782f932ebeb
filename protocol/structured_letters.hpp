/// The letters of which structured field values are made (RFC 9651), for reader and writer.
#pragma once

#include <cstdint>
#include <string_view>

namespace trunkline {

/// The largest integer, and the limit of decimals: 15 digits, three of them behind the point.
inline constexpr std::int64_t structured_integer_max = 999'999'999'999'999;

constexpr bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

constexpr bool is_small_letter(char letter) {
  return letter >= 'a' && letter <= 'z';
}

constexpr bool is_printable(char letter) {
  return letter >= ' ' && letter <= '~';
}

constexpr bool begins_key(char letter) {
  return is_small_letter(letter) || letter == '*';
}

constexpr bool continues_key(char letter) {
  return begins_key(letter) || is_digit(letter) || letter == '_' || letter == '-' || letter == '.';
}

constexpr bool begins_token(char letter) {
  return begins_key(letter) || (letter >= 'A' && letter <= 'Z');
}

constexpr bool continues_token(char letter) {
  constexpr auto others = std::string_view{"!#$%&'+-.^_`|~:/"};
  return begins_token(letter) || is_digit(letter) || others.find(letter) != std::string_view::npos;
}

} // namespace trunkline
