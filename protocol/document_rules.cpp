#include "protocol/document_rules.hpp"

#include "protocol/media_type.hpp"

#include <algorithm>
#include <vector>

namespace trunkline {

namespace {

constexpr auto activity_profile = std::string_view{"https://www.w3.org/ns/activitystreams"};

bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (text.substr(0, end) == word)
      return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

bool has_scheme(std::string_view reference) {
  const auto colon = reference.find_first_of(":/?#");
  return colon != std::string_view::npos && colon > 0 && reference[colon] == ':';
}

/// "https://host" and "/path", without query and fragment.
struct split_url {
  std::string_view scheme; ///< With its colon.
  std::string_view origin;
  std::string_view path;
};

split_url split(std::string_view url) {
  const auto colon = std::min(url.find(':'), url.size());
  const auto begin = std::min(colon + 3, url.size());
  const auto slash = std::min(url.find_first_of("/?#", begin), url.size());
  const auto path = url.substr(slash);
  return {.scheme = url.substr(0, std::min(colon + 1, url.size())),
          .origin = url.substr(0, slash),
          .path = path.substr(0, std::min(path.find_first_of("?#"), path.size()))};
}

/// RFC 3986 section 5.2.4, of a path that begins with a slash.
std::string without_dots(std::string_view path) {
  auto kept = std::vector<std::string_view>{};
  auto is_folder = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    path.remove_prefix(end);
    is_folder = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty())
      kept.pop_back();
    if (!is_folder)
      kept.push_back(segment);
  }
  auto out = std::string{};
  for (const auto segment : kept)
    out.append("/").append(segment);
  return is_folder || out.empty() ? out + "/" : out;
}

} // namespace

bool is_activity_type(std::string_view content_type) {
  const auto type = parse_media_type(content_type);
  if (!type)
    return false;
  if (type->essence == "application/activity+json")
    return true;
  return type->essence == "application/ld+json" &&
         has_word(type->parameter("profile"), activity_profile);
}

std::string resolve_reference(std::string_view base, std::string_view reference) {
  if (has_scheme(reference))
    return std::string{reference};
  const auto from = split(base);
  if (reference.starts_with("//"))
    return std::string{from.scheme}.append(reference);
  if (reference.empty() || reference.front() == '?' || reference.front() == '#')
    return std::string{from.origin}.append(from.path).append(reference);
  const auto tail = std::min(reference.find_first_of("?#"), reference.size());
  auto path = std::string{reference.substr(0, tail)};
  if (path.front() != '/')
    path = std::string{from.path.substr(0, from.path.find_last_of('/') + 1)} + path;
  if (path.front() != '/')
    path.insert(path.begin(), '/');
  return std::string{from.origin}.append(without_dots(path)).append(reference.substr(tail));
}

} // namespace trunkline
