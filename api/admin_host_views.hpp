/// Remote hosts as the admin API shows them: JSON, and sentences that say what an operator must
/// know. Times in sentences are UTC.
#pragma once

#include "actors/host_board.hpp"
#include "api/admin_handlers.hpp"
#include "protocol/json.hpp"
#include "protocol/time.hpp"

#include <caf/expected.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// Returns `at` as it is written in JSON, or null.
json_value time_or_null(const std::optional<time_point>& at);

/// Returns the text, or null for "".
json_value text_or_null(std::string text);

/// The word of a class, as in the design: "direct".
std::string_view word_of(delivery_class cls);

/// A unit in JSON and in links: "ROW:ENDPOINT".
std::string to_text(const unit_key& unit);

/// Reads what `to_text` writes. Fails with `invalid`, naming `field`.
caf::expected<unit_key> read_unit(std::string_view text, std::string_view field);

/// Reads `limit` and `after` of a list of units into the members of a `Wish` that bear these names.
template <class Wish>
caf::expected<Wish> read_unit_page(const matched_request& request) {
  const auto limit = read_limit(request);
  if (!limit)
    return limit.error();
  auto wish = Wish{};
  wish.limit = static_cast<std::size_t>(*limit);
  const auto after = query_value(request, "after");
  if (after.empty())
    return wish;
  const auto unit = read_unit(after, "after");
  if (!unit)
    return unit.error();
  wish.after = *unit;
  return wish;
}

json_object render(const delivery_sums& sums);

/// A host of the node of that name, with its sentence.
json_object render(const host_line& host, const std::string& node, time_point now);

/// How a host does: "4,812 waiting, oldest 22 min, connect timeout since 11:02, next try 11:31".
std::string sentence_of(const host_line& host, time_point now);

/// Tells whether somebody should look at the host: something waits for it, and it fails, is slow,
/// held back by an operator, or has not got for a minute what is owed to it.
bool needs_attention(const host_line& host, time_point now);

/// How many sentences the list of what needs attention has at most.
inline constexpr std::size_t attention_max = 10;

/// Returns the hosts that need attention, the worst first: for which the most has waited the
/// longest. Looks at the hosts that lead the board's lists.
std::vector<host_line> worst_of(const host_board& board, time_point now);

/// Tells whether `one` comes before `other` among the worst.
bool is_worse(const host_line& one, const host_line& other, time_point now);

} // namespace trunkline
