#include "protocol/media_type.hpp"

#include <algorithm>

namespace trunkline {

namespace {

bool is_token_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos);
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::string_view take_token(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_token_byte);
  const auto token = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(token.size());
  return token;
}

/// Takes a quoted string, its first quote already seen.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    // Browsers send paths of Windows unescaped: only a quote and a backslash count as escaped.
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\'))
      ++i;
    value += text[i];
  }
  return std::nullopt;
}

} // namespace

std::string_view media_type::parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, [](const auto& p) { return p.first; });
  return found == parameters.end() ? std::string_view{} : std::string_view{found->second};
}

std::optional<media_type> parse_media_type(std::string_view text) {
  skip_blanks(text);
  const auto type = take_token(text);
  if (type.empty() || !text.starts_with('/'))
    return std::nullopt;
  text.remove_prefix(1);
  const auto subtype = take_token(text);
  if (subtype.empty())
    return std::nullopt;
  media_type result{lower(type) + "/" + lower(subtype), {}};
  if (!parse_parameters(text, result.parameters))
    return std::nullopt;
  return result;
}

bool parse_parameters(std::string_view text,
                      std::vector<std::pair<std::string, std::string>>& parameters) {
  for (;;) {
    skip_blanks(text);
    if (text.empty())
      return true;
    if (text.front() != ';')
      return false;
    text.remove_prefix(1);
    skip_blanks(text);
    if (text.empty())
      return true;
    const auto name = lower(take_token(text));
    if (name.empty() || !text.starts_with('='))
      return false;
    text.remove_prefix(1);
    const auto is_quoted = text.starts_with('"');
    const auto value = is_quoted ? take_quoted(text) : std::string{take_token(text)};
    if (!value || (!is_quoted && value->empty()))
      return false;
    if (std::ranges::any_of(parameters, [&](const auto& p) { return p.first == name; }))
      return false;
    parameters.emplace_back(name, *value);
  }
}

} // namespace trunkline
