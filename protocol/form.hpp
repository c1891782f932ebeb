/// Builds nested values out of flat form names: `a`, `a[]`, `a[b]`, `a[b][]`, `a[][b]`.
#pragma once

#include "protocol/json.hpp"

#include <caf/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace trunkline {

/// Brackets of one name; more are refused.
inline constexpr std::size_t form_depth_max = 5;
/// Bytes of one name, brackets included.
inline constexpr std::size_t form_name_bytes_max = 256;

/// Adds `value` under the place that `name` describes. `a[]` appends to a list; `a[][b]` sets b in
/// the last object of the list, or in a new one when the last has a b already; of a plain name
/// given twice the last value wins. Fails with `errc::malformed`, naming the parameter, when the
/// brackets do not match, or when one name is used as a value, a list or an object at once; with
/// `errc::too_large` past a limit. On failure `root` may hold a part.
caf::error add_form_value(json_object& root, std::string_view name, json_value value);

} // namespace trunkline
