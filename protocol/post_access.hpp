/// Who sees what: the rule, and the facts that it needs.
#pragma once

#include "protocol/codes.hpp"

namespace trunkline {

/// Whether a viewer may see a post: the facts that decide it.
struct post_access {
  visibility seen_by = visibility::everyone;
  bool is_author = false;
  bool is_mentioned = false;
  bool follows_author = false; ///< Accepted.
  bool blocked_by_author = false;
  bool author_gone = false; ///< Deleted.
};

/// The one rule of who sees what: nobody sees a post of a deleted account; its author sees it; whom
/// the author blocks does not; else the visibility decides.
constexpr bool may_see(const post_access& access) {
  if (access.author_gone)
    return false;
  if (access.is_author)
    return true;
  if (access.blocked_by_author)
    return false;
  if (is_public(access.seen_by) || access.is_mentioned)
    return true;
  return access.seen_by == visibility::followers && access.follows_author;
}

} // namespace trunkline
