/// What the owner of an account may change about it.
#pragma once

#include "protocol/codes.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {

inline constexpr std::size_t profile_fields_max = 4;
inline constexpr std::size_t display_name_max = 30;  ///< Characters.
inline constexpr std::size_t profile_note_max = 500; ///< Characters.
inline constexpr std::size_t aliases_max = 10;

/// Nothing: unchanged.
struct profile_changes {
  std::optional<std::string> display_name;
  std::optional<std::string> note; ///< As written, without markup.
  std::optional<bool> locked;
  std::optional<bool> bot;
  std::optional<bool> discoverable;
  std::optional<std::vector<std::pair<std::string, std::string>>> fields; ///< Name and value.
  std::optional<visibility> default_visibility;
  std::optional<bool> default_sensitive;
  std::optional<std::string> default_language;
  std::optional<std::vector<std::string>> aliases; ///< Ids of actors.
};

} // namespace trunkline
