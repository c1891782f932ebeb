/// Which HTML a parser may have: HTML5 lets a short text make it copy much. Pure.
#pragma once

#include <string_view>

namespace trunkline {

/// Tells whether `html` keeps to the limits of `protocol/html_sanitizer.hpp`: a parser then takes
/// time and room that are linear in it. Takes linear time itself.
bool is_bounded_html(std::string_view html);

} // namespace trunkline
