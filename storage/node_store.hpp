/// The nodes, what they keep for themselves, and what nobody may forget.
#pragma once

#include "protocol/ids.hpp"
#include "storage/database.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

enum class node_state : std::uint8_t {
  live = 1,
  leaving = 2, ///< Writes, and gets no shards.
  dead = 3,    ///< Its lease ran out and another node said so.
  left = 4,    ///< It gave its shards away and let go of its lease.
};

/// Tells whether the fence lets a node in this state write.
constexpr bool may_write(node_state state) {
  return state == node_state::live || state == node_state::leaving;
}

struct node_row {
  std::int64_t id = 0;
  std::uint8_t slot = 0;        ///< Part of every id that the node makes.
  std::int64_t incarnation = 0; ///< Rises at each start.
  std::string address;          ///< Where other nodes reach it; "" for a single node.
  std::string weights = "{}";   ///< Per kind of actor, as JSON.
  time_point joined_at;
  node_state state = node_state::live;
  time_point lease_until;
  std::string name;          ///< "" for a node that is alone.
  std::string holder;        ///< The process that runs it.
  time_point tried_at;       ///< When it last joined or renewed.
  std::int64_t renewals = 0; ///< How often it did; rises for ever.
  std::string report = "{}"; ///< What it said of itself then: a JSON object.
  std::string unreachable;   ///< The names of those that it cannot reach, with commas between.
  std::optional<time_point> refused_since; ///< Others can reach each other without it.

  friend bool operator==(const node_row&, const node_row&) = default;
};

/// The columns of a node, in the order in which `node_from` reads them; of a table called `node`.
inline constexpr std::string_view node_columns =
    "node.id, node.slot, node.incarnation, node.address, node.weights, node.joined_at, node.state,"
    " node.lease_until, node.name, node.holder, node.tried_at, node.renewals,"
    " node.report, node.unreachable, node.refused_since";

/// How many those are.
inline constexpr std::size_t node_columns_count =
    static_cast<std::size_t>(std::ranges::count(node_columns, ',')) + 1;

/// Reads a row that begins with `node_columns`.
node_row node_from(const sql_row& row);

/// Returns the node `id`; nothing when it never was.
caf::expected<std::optional<node_row>> find_node(database& db, std::int64_t id);

/// Enters `node`, which is alone, as live with an incarnation one higher than any it had, which is
/// returned; its own `incarnation`, `state`, what only a cluster needs and, when it is known
/// already, `joined_at` are ignored. Fails with
/// `errc::unique_violation` when another node has the slot.
caf::expected<std::int64_t> start_node(database& db, const node_row& node);

/// Reserves the ids of `slot` up to `until`; a reserve never shrinks. Returns the reserve.
caf::expected<time_point> reserve_ids(database& db, std::uint8_t slot, time_point until);

/// Returns the time up to which ids of `slot` may have been given; 1970 for a new slot.
caf::expected<time_point> ids_until(database& db, std::uint8_t slot);

/// How long a batch is kept, so that a lost answer to its commit can be found.
inline constexpr auto batch_kept = std::chrono::hours{1};

/// Removes at most `limit` batches that are older than `batch_kept`. Returns how many.
caf::expected<std::int64_t> purge_batches(database& db, time_point now, std::size_t limit);

/// Notes for ever that the object at `uri` was deleted. Again: no change.
caf::error add_tombstone(database& db, std::string_view uri);

/// Tells whether the object at `uri` was deleted.
caf::expected<bool> has_tombstone(database& db, std::string_view uri);

} // namespace trunkline
