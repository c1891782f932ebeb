#include "protocol/codes.hpp"

#include <array>

namespace trunkline {

namespace {

constexpr auto visibility_names =
    std::to_array<std::string_view>({"", "public", "unlisted", "private", "direct"});

constexpr auto kind_names = std::to_array<std::string_view>({
    "",
    "create",
    "update",
    "remove",
    "announce",
    "undo_announce",
    "like",
    "undo_like",
    "follow",
    "undo_follow",
    "follow_request",
    "reject_follow",
    "block",
    "undo_block",
    "mute",
    "undo_mute",
    "domain_block",
    "undo_domain_block",
    "update_actor",
    "remove_actor",
    "rotate_key",
    "revoke_token",
    "disable_account",
    "enable_account",
    "accept_follow",
    "flag",
    "vote",
    "pin",
    "unpin",
    "move_account",
    "create_actor",
});

} // namespace

std::string_view to_string(visibility value) {
  return visibility_names[static_cast<std::size_t>(value)];
}

std::optional<visibility> parse_visibility(std::string_view text) {
  for (auto code = std::size_t{1}; code < visibility_names.size(); ++code)
    if (visibility_names[code] == text)
      return static_cast<visibility>(code);
  return std::nullopt;
}

std::string_view to_string(log_kind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kind_names.size() ? kind_names[index] : "unknown";
}

} // namespace trunkline
