#include "protocol/plain_text.hpp"

#include <algorithm>

namespace trunkline {

std::string escape_html(const std::string& text) {
  auto out = std::string{};
  out.reserve(text.size());
  for (const auto letter : text) {
    if (letter == '&')
      out += "&amp;";
    else if (letter == '<')
      out += "&lt;";
    else if (letter == '>')
      out += "&gt;";
    else if (letter == '"')
      out += "&quot;";
    else if (letter == '\'')
      out += "&#39;";
    else
      out += letter;
  }
  return out;
}

std::vector<std::string> split_lines(const std::string& text) {
  auto lines = std::vector<std::string>{};
  for (auto start = std::size_t{0}; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    if (end > start)
      lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string to_html(const std::string& text) {
  if (text.empty())
    return {};
  auto html = std::string{"<p>"};
  const auto escaped = escape_html(text);
  for (auto i = std::size_t{0}; i < escaped.size(); ++i) {
    if (escaped.compare(i, 2, "\n\n") == 0) {
      html += "</p><p>";
      ++i;
    } else if (escaped[i] == '\n') {
      html += "<br>";
    } else {
      html += escaped[i];
    }
  }
  return html + "</p>";
}

} // namespace trunkline
