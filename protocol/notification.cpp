#include "protocol/notification.hpp"

#include <array>
#include <cstddef>

namespace trunkline {

namespace {

/// By code.
constexpr auto words = std::to_array<std::string_view>(
    {"", "mention", "reblog", "favourite", "follow", "follow_request", "poll", "update"});

} // namespace

std::string_view to_string(notification_kind kind) {
  return words[static_cast<std::size_t>(kind)];
}

std::optional<notification_kind> parse_notification_kind(std::string_view word) {
  for (auto code = std::size_t{1}; code < words.size(); ++code)
    if (words[code] == word)
      return static_cast<notification_kind>(code);
  return std::nullopt;
}

} // namespace trunkline
