#include "trunkline/version.hpp"

namespace trunkline {

std::string_view version() noexcept {
  return TRUNKLINE_VERSION;
}

} // namespace trunkline
