/// Reads a multipart/form-data body.
#pragma once

#include "protocol/query_string.hpp"

#include <caf/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Header bytes of one part; more are refused.
inline constexpr std::size_t part_header_bytes_max = 8 * 1024;

struct uploaded_file {
  std::string name;         ///< Of the parameter, brackets included.
  std::string filename;     ///< As the client named it: never a path to open.
  std::string content_type; ///< As the client claims, or "application/octet-stream".
  std::string bytes;
};

struct multipart_form {
  std::vector<form_pair> fields;
  std::vector<uploaded_file> files; ///< The parts that have a filename.
};

/// Splits `body` at `boundary` (1 to 70 bytes). Fails with `errc::malformed` when a delimiter, the
/// end or a name is missing, and where a name or field is not UTF-8 or has a NUL; with
/// `errc::too_large` past `form_pairs_max` parts or `part_header_bytes_max`.
caf::expected<multipart_form> parse_multipart(std::string_view body, std::string_view boundary);

} // namespace trunkline
