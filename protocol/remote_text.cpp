#include "protocol/remote_text.hpp"

#include <utf8proc.h>

#include <algorithm>

namespace trunkline {

namespace {

bool turns_direction(utf8proc_int32_t letter) {
  return (letter >= 0x202a && letter <= 0x202e) || (letter >= 0x2066 && letter <= 0x2069) ||
         letter == 0x200e || letter == 0x200f || letter == 0x061c;
}

bool is_mark(utf8proc_category_t category) {
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

/// Tells what stays of one character, as text; `marks` counts those since the last letter.
std::string_view kept(utf8proc_int32_t letter, std::string_view bytes, std::size_t& marks) {
  if (letter == '\n' || letter == '\t')
    return " ";
  const auto category = utf8proc_category(letter);
  if (category == UTF8PROC_CATEGORY_CC || turns_direction(letter))
    return {};
  marks = is_mark(category) ? marks + 1 : 0;
  return marks > marks_per_letter_max ? std::string_view{} : bytes;
}

} // namespace

std::string clean_text(std::string_view text, std::size_t bytes_max) {
  auto clean = std::string{};
  auto marks = std::size_t{0};
  while (!text.empty()) {
    auto letter = utf8proc_int32_t{0};
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &letter);
    if (size <= 0)
      break;
    const auto part = kept(letter, text.substr(0, static_cast<std::size_t>(size)), marks);
    if (clean.size() + part.size() > bytes_max)
      break;
    clean += part;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return clean;
}

bool is_remote_name(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const auto fits = [&](char c) { return is_word(c) || c == '.' || c == '-'; };
  return !name.empty() && name.size() <= remote_name_max && is_word(name.front()) &&
         is_word(name.back()) && std::ranges::all_of(name, fits);
}

} // namespace trunkline
