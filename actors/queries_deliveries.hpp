/// Questions of the admin API about single activities: where a post went, and what was given up.
/// For `ask_storage`.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/names.hpp"
#include "protocol/object_key.hpp"
#include "storage/post_deliveries.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Reads the id of a post of ours: the id alone, or a URL below one of `origins`: of the post, its
/// page, or an activity about it. Fails with `invalid`; whether the post is there is not looked at.
caf::expected<post_id> read_own_post(const std::string& text,
                                     const std::vector<std::string>& origins);

/// What rows of the log about the post are about: for a boost the announcement.
query<object_key> ask_object_of(post_id post);

/// Fails with `not_found`.
query<post_deliveries> ask_post_deliveries(post_deliveries_wish wish);

query<std::vector<dead_letter>> ask_dead_letters(dead_letter_wish wish);

} // namespace trunkline
