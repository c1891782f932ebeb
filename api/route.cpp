#include "api/route.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace trunkline {

namespace {

constexpr std::size_t segments_max = 16;

/// Takes the next segment off `rest`, which starts with '/'.
std::string_view take_segment(std::string_view& rest) {
  const auto end = std::min(rest.find('/', 1), rest.size());
  const auto segment = rest.substr(1, end - 1);
  rest.remove_prefix(end);
  return segment;
}

std::optional<std::vector<std::string>> split(std::string_view path) {
  auto segments = std::vector<std::string>{};
  if (!path.starts_with('/'))
    return std::nullopt;
  while (!path.empty()) {
    auto& segment = segments.emplace_back();
    if (segments.size() > segments_max || !percent_decode(take_segment(path), segment))
      return std::nullopt;
  }
  if (segments.size() > 1 && segments.back().empty())
    segments.pop_back(); // clients write "/api/v1/instance/", as Rails allows
  return segments;
}

/// Matches one segment; a `{}` adds what it stands for to `found`.
bool fits(std::string_view pattern, const std::string& segment, std::vector<std::string>& found) {
  const auto hole = pattern.find("{}");
  if (hole == std::string_view::npos)
    return pattern == segment;
  const auto before = pattern.substr(0, hole);
  const auto after = pattern.substr(hole + 2);
  if (segment.size() <= before.size() + after.size() || !segment.starts_with(before) ||
      !segment.ends_with(after))
    return false;
  found.push_back(segment.substr(before.size(), segment.size() - before.size() - after.size()));
  return true;
}

bool fits_path(std::string_view pattern, const std::vector<std::string>& segments,
               std::vector<std::string>& found) {
  found.clear();
  for (const auto& segment : segments)
    if (pattern.empty() || !fits(take_segment(pattern), segment, found))
      return false;
  return pattern.empty();
}

void allow(std::string& methods, http_method method) {
  const auto name = to_string(method);
  if (methods.find(name) != std::string::npos)
    return;
  methods += methods.empty() ? "" : ", ";
  methods += name;
  if (method == http_method::get)
    methods += ", HEAD";
}

} // namespace

bool percent_decode(std::string_view text, std::string& out) {
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    auto letter = static_cast<unsigned char>(text[i]);
    if (letter == '%') {
      const auto* digits = text.data() + i + 1;
      if (i + 3 > text.size())
        return false;
      if (std::from_chars(digits, digits + 2, letter, 16).ptr != digits + 2)
        return false;
      i += 2;
    }
    if (letter == 0)
      return false;
    out += static_cast<char>(letter);
  }
  return true;
}

route_match find_route(std::span<const route> table, http_method method, std::string_view path) {
  auto match = route_match{};
  const auto segments = split(path);
  if (!segments)
    return match;
  const auto wanted = method == http_method::head ? http_method::get : method;
  for (const auto& row : table) {
    if (!fits_path(row.pattern, *segments, match.segments))
      continue;
    if (row.method == wanted) {
      match.row = &row;
      return match;
    }
    allow(match.allow, row.method);
  }
  match.segments.clear();
  return match;
}

} // namespace trunkline
