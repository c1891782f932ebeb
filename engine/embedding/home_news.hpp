/// INTERNAL to the subscriptions: what of the new posts a home shows.
#pragma once

#include "engine/embedding/calls.hpp"
#include "trunkline/calls.hpp"

#include <cstdint>
#include <set>
#include <vector>

namespace trunkline {

/// Pages that are read of one home at a time: its newest 400 posts.
inline constexpr auto home_pages_max = 10;

/// Posts that a home may show since it was looked at.
struct home_question {
  account_id account;
  std::set<std::int64_t> wanted; ///< New posts by id.
  std::int64_t from = 0;         ///< Every post from this id on is asked for as well; 0: none.

  bool is_empty() const { return wanted.empty() && from == 0; }
};

enum class home_verdict : std::uint8_t {
  read,
  not_now, ///< It may work later.
  never,   ///< The account is disabled or gone.
};

struct home_answer {
  home_verdict verdict = home_verdict::not_now;
  std::vector<post_card> posts = {}; ///< Oldest first.
};

/// Reads what the home shows of them. Blocks like a typed call.
home_answer read_home_news(const call_entry& entry, const home_question& question);

} // namespace trunkline
