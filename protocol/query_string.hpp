/// Reads and writes percent-encoded names and values, as in a URL's query or a form.
#pragma once

#include <caf/expected.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Pairs of one query or one form; more are refused.
inline constexpr std::size_t form_pairs_max = 1000;

struct form_pair {
  std::string name;
  std::string value;
};

/// Splits `name=value&name=value` and decodes both: `%41`, and `+` as a space. Empty pieces are
/// skipped, a piece without `=` has an empty value. Fails with `errc::malformed` on a broken
/// escape, bytes that are not UTF-8, or a NUL; with `errc::too_large` past `form_pairs_max`.
caf::expected<std::vector<form_pair>> parse_query_string(std::string_view text);

enum class plus_sign { is_plus, is_space };

/// Returns `text` with its percent escapes decoded, or nothing where one is broken.
std::optional<std::string> decode_percent(std::string_view text, plus_sign plus);

/// Returns `text` with every byte escaped but letters, digits and "-._~".
std::string encode_percent(std::string_view text);

} // namespace trunkline
