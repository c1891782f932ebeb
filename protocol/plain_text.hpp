/// Plain text as HTML, and in lines.
#pragma once

#include <string>
#include <vector>

namespace trunkline {

/// Returns text as HTML: escaped, in paragraphs, with line breaks. "" stays "".
std::string to_html(const std::string& text);

/// Escapes what has a meaning in HTML, attributes included.
std::string escape_html(const std::string& text);

/// Splits at line feeds; empty lines are left out.
std::vector<std::string> split_lines(const std::string& text);

} // namespace trunkline
