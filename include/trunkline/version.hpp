/// The version of this engine.
#pragma once

#include <string_view>

namespace trunkline {

/// Returns "MAJOR.MINOR.PATCH", as in the package's name. Static; any thread.
std::string_view version() noexcept;

} // namespace trunkline
