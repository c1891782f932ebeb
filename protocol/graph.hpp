/// Relations between accounts, as a client sets them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace trunkline {

struct follow_options {
  std::optional<bool> show_boosts; ///< Nothing: unchanged, or true for a new follow.
  std::optional<bool> notify;      ///< Nothing: unchanged, or false for a new follow.
  std::optional<std::vector<std::string>> languages; ///< ISO 639; an empty list: all.
};

struct mute_options {
  bool notifications = true;                    ///< Also hide their notifications.
  std::optional<std::chrono::seconds> duration; ///< Nothing: until unmuted.
};

} // namespace trunkline
