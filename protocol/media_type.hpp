/// Reads the value of a Content-Type header.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {

struct media_type {
  std::string essence;                                         ///< "type/subtype" in lower case.
  std::vector<std::pair<std::string, std::string>> parameters; ///< Names in lower case.

  /// Returns the parameter `name` (lower case), or "".
  std::string_view parameter(std::string_view name) const;
};

/// Returns nothing for what RFC 9110 section 8.3 does not allow, and for a parameter given twice.
std::optional<media_type> parse_media_type(std::string_view text);

/// Reads `; name=value; name="quoted \" value"` into `parameters`, as Content-Disposition has it
/// too. Returns false for anything else, and for a name given twice.
bool parse_parameters(std::string_view text,
                      std::vector<std::pair<std::string, std::string>>& parameters);

} // namespace trunkline
