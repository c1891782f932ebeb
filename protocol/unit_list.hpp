/// Units as bytes, as `acked` of the marks and backlogs holds them: sorted, numbers as distances in
/// groups of seven bits, low ones first.
#pragma once

#include "protocol/delivery_unit.hpp"

#include <caf/expected.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Units that one list holds at most.
inline constexpr std::size_t acked_units_max = 4'096;

/// Returns the bytes of `units`; order does not matter.
std::string encode_units(std::vector<unit_key> units);

/// Reads what `encode_units` writes. Fails with `errc::malformed`.
caf::expected<std::vector<unit_key>> decode_units(std::string_view bytes);

} // namespace trunkline
