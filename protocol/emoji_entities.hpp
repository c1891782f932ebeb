/// Custom emojis of other servers as clients read them (CustomEmoji).
#pragma once

#include "protocol/json.hpp"

#include <string>
#include <vector>

namespace trunkline {

/// Returns those of the emojis `[{"name":..,"url":..}, ..]` whose `:name:` stands in one of
/// `texts`, as Mastodon does: a text may bring more than it uses. Anything else than such a list is
/// none.
json_array emojis_in(const std::string& emojis_json, const std::vector<std::string>& texts);

} // namespace trunkline
