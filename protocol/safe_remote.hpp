/// Makes what other servers send safe to keep and to show: markup goes through `sanitize_html`,
/// plain text through `clean_text`.
#pragma once

#include "protocol/activity.hpp"

#include <cstddef>

namespace trunkline {

inline constexpr std::size_t remote_spoiler_bytes_max = 2'048;
inline constexpr std::size_t remote_description_bytes_max = 10'000; ///< Of one attachment.
inline constexpr std::size_t remote_option_bytes_max = 500;         ///< Of one choice of a poll.

/// Makes all text of an actor safe.
void make_safe(remote_actor& actor);

/// Makes all text of a note safe.
void make_safe(remote_note& note);

} // namespace trunkline
