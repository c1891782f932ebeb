/// The version of this engine.
#pragma once

#include "trunkline/abi.hpp"

#include <string_view>

namespace trunkline {
inline namespace v0 {

/// Returns "MAJOR.MINOR.PATCH", as in the package's name. Static; any thread.
TRUNKLINE_API std::string_view version() noexcept;

} // namespace v0
} // namespace trunkline
