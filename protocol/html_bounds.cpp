#include "protocol/html_bounds.hpp"

#include "protocol/html_sanitizer.hpp"
#include "protocol/names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace trunkline {

namespace {

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr auto formatting_names =
    std::to_array<std::string_view>({"a", "b", "big", "code", "em", "font", "i", "nobr", "s",
                                     "small", "strike", "strong", "tt", "u"});

/// Counts what a parser copies into every paragraph that follows: formatting that was left open. Of
/// equal tags it copies three, of those with attributes any number, of links one.
class formatting_count {
public:
  /// `rest` follows the '<'.
  void add(std::string_view rest) {
    const auto begin = rest.substr(0, longest_name);
    const auto end = std::min(begin.find_first_of(" \t\n\f\r/>"), begin.size());
    const auto name = fold_name(begin.substr(0, end));
    const auto found = std::ranges::find(formatting_names, name);
    if (found == formatting_names.end())
      return;
    auto& seen = plain_[static_cast<std::size_t>(found - formatting_names.begin())];
    const auto is_link = found == formatting_names.begin();
    const auto is_distinct = !is_link && !begin.substr(end).starts_with('>');
    if (!is_distinct && seen++ >= (is_link ? links_copied : equals_copied))
      return;
    ++copied_;
  }

  std::size_t copied() const { return copied_; }

private:
  static constexpr std::size_t longest_name = 8; // with what ends it
  static constexpr int equals_copied = 3;
  static constexpr int links_copied = 1;

  std::array<int, formatting_names.size()> plain_{};
  std::size_t copied_ = 0;
};

} // namespace

bool is_bounded_html(std::string_view html) {
  if (html.size() > html_bytes_max)
    return false;
  auto formatting = formatting_count{};
  auto tags = std::size_t{0};
  auto attributes = std::size_t{0}; // of one tag, counted by what parts or gives them
  for (auto at = std::size_t{0}; at < html.size(); ++at) {
    const auto letter = html[at];
    const auto next = at + 1 < html.size() ? html[at + 1] : '\0';
    if (letter == '<') {
      tags += is_letter(next) || next == '/' || next == '!' || next == '?';
      attributes = 0;
      if (is_letter(next))
        formatting.add(html.substr(at + 1));
    } else if (letter == '>') {
      attributes = 0;
    } else if (letter == '=') {
      ++attributes;
    }
    if (tags > html_tags_max || attributes > html_attributes_max)
      return false;
  }
  return formatting.copied() * tags <= html_copies_max;
}

} // namespace trunkline
