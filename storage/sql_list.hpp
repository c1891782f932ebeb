/// Parameter lists of statements that take many ids: "$2, $3, $4". Values are never pasted.
#pragma once

#include "storage/database.hpp"

#include <span>
#include <string>
#include <vector>

namespace trunkline {

/// Returns `count` parameters from `$first` on, parted by commas. `count` is at least 1.
inline std::string parameters(std::size_t first, std::size_t count) {
  auto text = std::string{};
  for (auto i = std::size_t{0}; i < count; ++i)
    text += (i ? ", $" : "$") + std::to_string(first + i);
  return text;
}

/// Appends the values for `parameters`.
template <class Id>
void append_ids(std::vector<sql_value>& values, std::span<const Id> ids) {
  for (const auto id : ids)
    values.emplace_back(id);
}

} // namespace trunkline
