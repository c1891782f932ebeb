/// Migration 6: what a node says of itself.
#pragma once

#include <array>
#include <string_view>

namespace trunkline {

inline constexpr auto schema_v6 = std::to_array<std::string_view>({
    // Written with each renewal; a JSON object.
    "ALTER TABLE node ADD COLUMN report TEXT NOT NULL DEFAULT '{}'",
});

} // namespace trunkline
