/// The nodes of a cluster and their leases, as the database says they are.
///
/// All times here are of the database's clock.
#pragma once

#include "protocol/shard.hpp"
#include "storage/node_store.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

/// From a renewal to the end of the lease that it gives, on the database's clock.
inline constexpr auto lease_length = std::chrono::microseconds{std::chrono::seconds{6}};

/// A lease is over for others this long after its end.
inline constexpr auto lease_grace = std::chrono::microseconds{std::chrono::milliseconds{500}};

/// A node that has not renewed for longer gets no shards.
inline constexpr auto fresh_for = std::chrono::microseconds{std::chrono::seconds{3}};

/// What has renewed up to this far in the future is fresh as well: clocks of a server's processors.
inline constexpr auto fresh_ahead = std::chrono::microseconds{std::chrono::milliseconds{100}};

/// The shards of both kinds of actor.
inline constexpr std::size_t shards_in_all = 2 * shard_count;

/// A lease as somebody has seen it; once it is renewed it is another one.
struct lease_mark {
  std::int64_t node = 0;
  std::int64_t incarnation = 0;
  std::int64_t renewals = 0;

  friend bool operator==(const lease_mark&, const lease_mark&) = default;
};

struct cluster_node : node_row {
  std::size_t account_shards = 0; ///< That its present incarnation owns; of `shard_count`.
  std::size_t host_shards = 0;    ///< The same.

  std::size_t shards() const { return account_shards + host_shards; }
  lease_mark mark() const { return {id, incarnation, renewals}; }
};

/// Where a shard is.
struct shard_place {
  std::int64_t node = 0; ///< 0: nobody ever had it.
  std::int64_t incarnation = 0;
  time_point moved_at; ///< When its owner changed last.

  friend bool operator==(const shard_place&, const shard_place&) = default;
};

/// What the database said at one moment. The places of the shards may be older than the nodes by
/// the time between two statements, and then some count as free that are not.
struct cluster_view {
  std::vector<cluster_node> nodes; ///< By id; all that ever were.
  time_point now;                  ///< The database's clock.
  std::string server;              ///< Changes when the server starts anew; "" on SQLite.
  std::size_t free_account_shards = shard_count; ///< Whose owner is no incarnation that may write.
  std::size_t free_host_shards = shard_count;    ///< The same.
  std::array<shard_place, shard_count> hosts{};  ///< By host shard.

  std::size_t free_shards() const { return free_account_shards + free_host_shards; }

  /// Each returns null when there is none; valid as long as this.
  const cluster_node* find(std::int64_t id) const;
  const cluster_node* find(std::string_view name) const;
  /// The node that owns all account shards.
  const cluster_node* serving() const;
  /// The node that owns a host shard; null when its owner is no incarnation that may write.
  const cluster_node* host_owner(std::uint8_t shard) const;
};

/// Tells whether the node has tried to renew lately.
bool is_fresh(const cluster_node& node, time_point now);

/// Tells whether a lease that ends at `lease_until` is over for others. One that ends further ahead
/// than any can is of a clock that was set back since: then only time that somebody has seen pass
/// without a renewal tells, and this is true.
bool is_over(time_point lease_until, time_point now);

/// Returns how long after `now` it is over; a lease that ends too far ahead counts as a new one.
std::chrono::microseconds time_until_over(time_point lease_until, time_point now);

/// Returns what the database says, and changes nothing.
caf::expected<cluster_view> read_cluster(database& db);

} // namespace trunkline
