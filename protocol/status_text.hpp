/// The text of a post: whom and what it names, how long it is, and its HTML.
///
/// Everything takes time linear in the bytes of the text, which must be valid UTF-8, and at most
/// `entities_max` names, tags and links are seen; what comes after them is plain text.
#pragma once

#include "protocol/names.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

inline constexpr std::size_t characters_max = 500;     ///< Of text and content warning together.
inline constexpr std::size_t characters_per_url = 23;  ///< However long it is.
inline constexpr std::size_t entities_max = 256;       ///< Names, tags and links of one text.
inline constexpr std::size_t entity_bytes_max = 2'048; ///< Of one of them; longer is plain text.

/// A part of a text that becomes a link.
struct text_entity {
  enum class kind_of : std::uint8_t {
    mention, ///< @name or @name@domain
    tag,     ///< #name
    url      ///< http://… or https://…
  };
  kind_of kind = kind_of::url;
  std::size_t begin = 0; ///< First byte in the text.
  std::size_t end = 0;   ///< First byte after it.
  std::string name;      ///< Of a mention or tag, without @ or #, as written.
  std::string domain;    ///< Of a mention; "" when it has none.
};

/// Returns what `text` names, in order; nothing overlaps.
std::vector<text_entity> find_entities(std::string_view text);

/// Counts grapheme clusters, as a reader would; a link counts `characters_per_url`, and of a
/// mention only its name.
std::size_t count_characters(std::string_view text, std::span<const text_entity> entities);

/// Counts grapheme clusters.
std::size_t count_characters(std::string_view text);

/// Tells whether there is nothing to read: only spaces, controls and invisible characters.
bool is_blank(std::string_view text);

/// Renders as Mastodon does: paragraphs, line breaks, links; everything else is escaped.
/// `mention_links` has one entry for each entity: where a mention leads to; "" leaves it plain.
/// Entries of tags and links are ignored.
std::string render_html(std::string_view text, std::span<const text_entity> entities,
                        std::span<const std::string> mention_links, const url_space& urls);

} // namespace trunkline
