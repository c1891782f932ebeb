/// The files of `dashboard/`, which the build puts into the binary.
#pragma once

#include <array>
#include <string_view>

namespace trunkline {

struct embedded_file {
  std::string_view name; ///< "page.js"
  std::string_view text;
};

extern const std::array<embedded_file, 3> dashboard_files;

} // namespace trunkline
