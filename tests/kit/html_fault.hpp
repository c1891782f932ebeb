/// Says what is wrong with sanitised HTML.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace trunkline::kit {

inline constexpr auto allowed_tags = std::to_array<std::string_view>(
    {"p", "br", "span", "del", "s",  "pre", "blockquote", "code", "b",  "strong",
     "u", "i",  "em",   "ul",  "ol", "li",  "ruby",       "rt",   "rp", "a"});
inline constexpr auto allowed_attributes =
    std::to_array<std::string_view>({"href", "class", "rel", "target", "start", "value"});

/// Returns what is wrong with sanitised HTML, "" for nothing: every '<' begins a tag of the list,
/// every attribute is one of the list, and links lead where they may.
inline std::string fault_of(std::string_view html) {
  while (true) {
    const auto begin = html.find('<');
    if (begin == std::string_view::npos)
      return {};
    const auto end = html.find('>', begin);
    if (end == std::string_view::npos)
      return "a tag without an end";
    auto tag = html.substr(begin + 1, end - begin - 1);
    html.remove_prefix(end + 1);
    if (tag.starts_with('/'))
      tag.remove_prefix(1);
    const auto name = tag.substr(0, tag.find(' '));
    if (std::ranges::find(allowed_tags, name) == allowed_tags.end())
      return "tag " + std::string{name};
    tag.remove_prefix(name.size());
    while (!tag.empty()) {
      const auto equals = tag.find("=\"");
      if (!tag.starts_with(' ') || equals == std::string_view::npos)
        return "attributes" + std::string{tag};
      const auto attribute = tag.substr(1, equals - 1);
      const auto close = tag.find('"', equals + 2);
      if (close == std::string_view::npos)
        return "an attribute without an end";
      const auto value = tag.substr(equals + 2, close - equals - 2);
      if (std::ranges::find(allowed_attributes, attribute) == allowed_attributes.end())
        return "attribute " + std::string{attribute};
      if (attribute == "href" && (value.find(':') == std::string_view::npos ||
                                  value.starts_with("javascript") || value.starts_with("data")))
        return "address " + std::string{value};
      tag.remove_prefix(close + 1);
    }
  }
}

} // namespace trunkline::kit
