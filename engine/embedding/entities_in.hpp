/// Mastodon's entities, as our own API answers them, as the plain values of typed calls.
#pragma once

#include "protocol/json.hpp"
#include "trunkline/calls.hpp"
#include "trunkline/observing.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trunkline {

account_card to_account_card(const json_value& account);

/// A boost shows content, warning, language and mentions of what it boosts.
post_card to_post_card(const json_value& status);
std::vector<post_card> to_post_cards(const json_value& statuses);

follow_state to_follow_state(const json_value& relationship);

/// Returns the word of Mastodon's API: "public".
std::string_view word_of(post_visibility seen_by);

/// Returns the members by name, those of nested objects and lists joined by dots: "a.b", "list.0".
/// Null is "".
std::vector<std::pair<std::string, std::string>> to_flat_members(const json_object& members);

} // namespace trunkline
