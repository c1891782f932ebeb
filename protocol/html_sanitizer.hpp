/// HTML of other servers, made safe to show: parsed as browsers do (HTML5), written anew from an
/// allow-list.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trunkline {

inline constexpr std::size_t html_bytes_max = 65'536;  ///< More, and all markup becomes text.
inline constexpr std::size_t html_tags_max = 2'000;    ///< Likewise.
inline constexpr std::size_t html_attributes_max = 64; ///< Of one tag; likewise.
/// Formatting that could be left open, times tags: what a parser may copy. More: likewise.
inline constexpr std::size_t html_copies_max = 30'000;

/// Returns safe HTML: p, br, span, a, del, pre, code, em, strong, b, i, u, ul, ol, li, blockquote
/// and the like that Mastodon keeps; headings become strong paragraphs. Links keep http, https and
/// a few schemes as Mastodon's, get rel="nofollow noopener noreferrer" and target="_blank", and
/// show their host. Classes keep h-*, p-*, u-*, dt-*, e-*, mention, hashtag, ellipsis, invisible.
/// Takes time linear in the input; never fails.
std::string sanitize_html(std::string_view html);

/// Returns what a reader sees of `html`, without any markup, in one line per paragraph.
std::string html_to_text(std::string_view html);

} // namespace trunkline
