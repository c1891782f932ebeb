/// Sorted lists of units: short, and added to at the end.
#pragma once

#include "protocol/delivery_unit.hpp"

#include <algorithm>
#include <vector>

namespace trunkline {

/// Returns where the units of rows from `seq` on begin.
inline std::vector<unit_key>::const_iterator from_row(const std::vector<unit_key>& units,
                                                      log_seq seq) {
  return std::ranges::lower_bound(units, unit_key{seq, {}});
}

inline bool has_unit(const std::vector<unit_key>& units, const unit_key& unit) {
  return std::ranges::binary_search(units, unit);
}

/// Adds a unit; false when it is there.
inline bool add_unit(std::vector<unit_key>& units, const unit_key& unit) {
  const auto at = std::ranges::lower_bound(units, unit);
  if (at != units.end() && *at == unit)
    return false;
  units.insert(at, unit);
  return true;
}

} // namespace trunkline
