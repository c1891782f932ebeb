/// Judges bytes that claim to be text.
#pragma once

#include <string_view>

namespace trunkline {

/// Tells whether `text` is UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing past
/// U+10FFFF.
bool is_utf8(std::string_view text);

} // namespace trunkline
