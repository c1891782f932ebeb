/// Which node a shard belongs on: weighted rendezvous hashing over the nodes that may have it.
///
/// Pure and the same on every node. Fixed for ever, for nodes of two versions must agree: the score
/// of a node for a shard is its weight / -ln(u), with u = (h + 0.5) / 2^53, where h is the first 53
/// bits of SHA-256 over "account/17/name" ("host/17/name"); the highest score wins, of equal ones
/// the name that sorts first.
#pragma once

#include "protocol/codes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace trunkline {

/// The largest weight of a node.
inline constexpr std::uint32_t weight_max = 1'000;

/// How much of each kind of actor a node takes, against the others; 0: none of it.
struct node_weights {
  std::uint32_t account = 1;
  std::uint32_t host = 1;

  /// What it takes where all shards have one owner: nothing when it takes nothing of a kind.
  std::uint32_t of_all() const { return account < host ? account : host; }

  friend bool operator==(const node_weights&, const node_weights&) = default;
};

/// Returns the column `node.weights`: {"account":1,"host":1}.
std::string to_json(const node_weights& weights);

/// Reads the column `node.weights`; a weight that is missing or none counts as 1, one that is too
/// large as `weight_max`.
node_weights read_node_weights(std::string_view json);

struct placement_candidate {
  std::string_view name;
  std::uint32_t weight = 1;
};

/// Returns the place in `candidates` of the node that should have the shard; nothing when none has
/// a weight.
std::optional<std::size_t> preferred_node(actor_kind kind, std::uint8_t shard,
                                          std::span<const placement_candidate> candidates);

} // namespace trunkline
