/// Plain text of other servers, made fit to be kept and shown.
///
/// It loses what misleads or breaks a line: controls, marks that turn its direction, marks heaped
/// on one letter.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trunkline {

inline constexpr std::size_t remote_name_max = 255;
inline constexpr std::size_t marks_per_letter_max = 4;

/// Returns plain text without controls (line feeds and tabs become spaces), bidirectional
/// overrides, embeddings and isolates; with at most `marks_per_letter_max` combining marks on one
/// letter and at most `bytes_max` bytes, cut between characters. `text` must be UTF-8.
std::string clean_text(std::string_view text, std::size_t bytes_max);

/// Tells whether `name` may be a name of another server's account: ASCII letters, digits, '_', '.'
/// and '-', neither '.' nor '-' at its ends, at most `remote_name_max`.
bool is_remote_name(std::string_view name);

} // namespace trunkline
