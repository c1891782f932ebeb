#include "trunkline/version.hpp"

namespace trunkline {

std::string_view v0::version() noexcept {
  return TRUNKLINE_VERSION;
}

} // namespace trunkline
