/// Who in the audience of a row it is owed to.
#pragma once

#include "protocol/codes.hpp"

namespace trunkline {

/// Tells whether a row takes something back: it goes to everybody who ever had that.
constexpr bool takes_back(log_kind kind) {
  return kind == log_kind::remove || kind == log_kind::undo_announce ||
         kind == log_kind::remove_actor;
}

/// Tells whether a row goes to all of its audience. Any other goes to those of it who follow when
/// it is sent, and to its `log_extra`.
constexpr bool reaches_past_followers(log_kind kind, bool is_public) {
  return is_public || takes_back(kind);
}

} // namespace trunkline
