/// The lists of remote accounts and posts as their columns hold them: JSON texts.
///
/// What is written is clamped: names of custom emojis that no text could hold, and URLs that are no
/// web addresses, are left out.
#pragma once

#include "protocol/activity.hpp"
#include "protocol/time.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trunkline {

inline constexpr std::size_t emoji_name_max = 64;

/// The oldest time that is believed of anything published: ids before it would be none.
inline constexpr auto published_min =
    time_point{std::chrono::sys_days{std::chrono::year{1990} / 1 / 1}};

/// Returns when something was published: `now` when unknown; not before `published_min`, never
/// after `now`.
time_point clamp_published(const std::optional<time_point>& published, time_point now);

/// Returns `url` when it is a web address, else "".
std::string web_address(const std::string& url);

/// Returns `[{"name":..,"url":..}, ..]`.
std::string to_json_emojis(std::span<const named_url> emojis);

/// Returns `[{"name":..,"value":..}, ..]`.
std::string to_json_fields(std::span<const profile_field> fields);

/// Returns `["..", ..]`.
std::string to_json_texts(std::span<const std::string> texts);

/// Reads what `to_json_texts` writes; empty for anything else.
std::vector<std::string> read_json_texts(const std::string& json);

/// Returns `[1, ..]`.
std::string to_json_numbers(std::span<const std::int64_t> numbers);

/// Reads what `to_json_numbers` writes; empty for anything else.
std::vector<std::int64_t> read_json_numbers(const std::string& json);

} // namespace trunkline
