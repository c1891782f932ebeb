/// Members of ActivityStreams documents, which may be written in many ways, as plain values.
///
/// Every function takes null for a member that is absent, and answers with "nothing" where it is
/// of a type that makes no sense. All take time linear in the value.
#pragma once

#include "protocol/activity.hpp"
#include "protocol/json.hpp"
#include "protocol/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

inline constexpr std::int64_t document_count_max = 1'000'000'000; ///< Of votes and of items.

/// Returns the items of an array, the value itself when it is none, nothing for null.
std::span<const json_value> items_of(const json_value* value);

/// Tells whether `document` has this type, among others perhaps.
bool has_type(const json_value& document, std::string_view type);

/// Returns the first of the document's types that is among `known`; "" when none is.
std::string first_type_of(const json_value& document, std::span<const std::string_view> known);

/// Returns the text, "" when it is none.
std::string text_of(const json_value* value);

/// Returns the text of member `name`, or else the first one of its language map (`nameMap`).
std::string mapped_text_of(const json_value& document, std::string_view name);

/// Returns `text` if it is an absolute http or https URL, else "".
std::string web_url(std::string text);

/// Returns the id of `value` as `id_of`, but "" when it is no http or https URL.
std::string web_id_of(const json_value* value);

/// Returns the one id that `value` names, "" when it names none or several.
std::string only_web_id_of(const json_value* value);

/// Returns the one author in a post's `attributedTo`, "" when there is none or there are several.
/// PeerTube names a channel beside the person: a group is no second author.
std::string only_author_of(const json_value& document);

/// Returns the http or https URL of text, of a Link, of an object's `url`, or of the first of a
/// list that has one; `media_type` makes Links of this type go first. "" when there is none.
std::string url_of(const json_value* value, std::string_view media_type = {});

/// Returns the ids of text, of an object or of a list of both, at most `limit`. What is no URL is
/// left out.
std::vector<std::string> ids_of(const json_value* value, std::size_t limit);

/// As `ids_of`; every spelling of the public collection becomes the one.
std::vector<std::string> recipients_of(const json_value* value);

/// Reads a date and time as RFC 3339 has it, and what is sent in its stead: without offset, without
/// time. What lies outside the years 1970 to 2200 is clamped.
std::optional<time_point> parse_date_time(std::string_view text);
std::optional<time_point> time_of(const json_value* value);

/// Returns a number, clamped to 0 to `document_count_max`; 0 when it is none.
std::int64_t count_of(const json_value* value);

/// Tells whether the value is `true`.
bool is_true(const json_value* value);

/// Returns the custom emojis of the document's tags. A name has letters, digits, '_', '-' and '.'.
std::vector<named_url> emojis_of(const json_value& document);

/// Cuts at the limit, never within a character.
std::string clamp_bytes(std::string text, std::size_t bytes_max);

/// Cuts after so many code points.
std::string clamp_characters(std::string text, std::size_t characters_max);

/// Returns text as one line that cannot disturb what stands beside it: without controls and
/// overrides of direction, with at most 8 marks above or below a letter, cut at `bytes_max`.
std::string display_line(std::string_view text, std::size_t bytes_max);

} // namespace trunkline
