#include "protocol/placement.hpp"

#include "protocol/crypto.hpp"
#include "protocol/json.hpp"

#include <algorithm>
#include <cmath>

namespace trunkline {

namespace {

constexpr auto fraction_bits = 53; ///< A double holds them all.

std::string_view word_of(actor_kind kind) {
  return kind == actor_kind::account ? "account" : "host";
}

/// Returns a number between 0 and 1, both excluded.
double fraction_of(actor_kind kind, std::uint8_t shard, std::string_view name) {
  auto key = std::string{word_of(kind)};
  key.append("/").append(std::to_string(shard)).append("/").append(name);
  const auto hash = sha256(key);
  auto bits = std::uint64_t{0};
  for (auto at = std::size_t{0}; at < sizeof bits; ++at)
    bits = bits << 8 | static_cast<unsigned char>(hash[at]);
  return (static_cast<double>(bits >> (64 - fraction_bits)) + 0.5) / std::exp2(fraction_bits);
}

std::uint32_t weight_in(const json_value& weights, std::string_view kind) {
  const auto* member = weights.find(kind);
  const auto* number = member ? member->as_int() : nullptr;
  if (!number || *number < 0)
    return 1;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(*number, weight_max));
}

} // namespace

std::string to_json(const node_weights& weights) {
  return to_json(json_value{json_object{{"account", weights.account}, {"host", weights.host}}});
}

node_weights read_node_weights(std::string_view json) {
  const auto parsed = parse_json(json);
  if (!parsed)
    return {};
  return {.account = weight_in(*parsed, "account"), .host = weight_in(*parsed, "host")};
}

std::optional<std::size_t> preferred_node(actor_kind kind, std::uint8_t shard,
                                          std::span<const placement_candidate> candidates) {
  auto best = std::optional<std::size_t>{};
  auto best_score = 0.0;
  for (auto at = std::size_t{0}; at < candidates.size(); ++at) {
    const auto& one = candidates[at];
    if (one.weight == 0)
      continue;
    const auto score = one.weight / -std::log(fraction_of(kind, shard, one.name));
    if (best && (score < best_score || (score == best_score && candidates[*best].name < one.name)))
      continue;
    best = at;
    best_score = score;
  }
  return best;
}

} // namespace trunkline
