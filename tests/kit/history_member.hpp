/// Who and what takes part in a random history of a cluster.
#pragma once

#include "tests/kit/clocked_database.hpp"
#include "tests/kit/host_oracle.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trunkline::kit {

/// No round trip between two nodes.
struct cut_line {
  std::string one;
  std::string other;
  boot_time since;
  boot_time until;
};

struct history_member {
  history_member(database& inner, const std::string& called, const std::string& holder,
                 lease_keeper::clock now, std::function<std::vector<std::string>()> unreachable)
      : name{called}, db{inner}, keeper{{.name = called, .holder = holder, .address = called},
                                        std::move(now),
                                        [tell = std::move(unreachable)] {
                                          return renewal_words{.unreachable = tell()};
                                        }} {}

  bool is_over() const {
    return keeper.status().phase == lease_phase::left ||
           keeper.status().phase == lease_phase::doubled;
  }

  std::string name;
  clocked_database db;
  lease_keeper keeper;
  host_share hosts;
  boot_time due;
  boot_time thaws;   ///< It is frozen until then.
  boot_time cut_off; ///< It has no database until then.
};

using history_members = std::vector<std::unique_ptr<history_member>>;

struct acted_hosts {
  host_set all;
  host_set doubly; ///< By more than one node.
};

/// Returns which host shards the nodes act for at `now`.
inline acted_hosts hosts_acted_for(const history_members& members, boot_time now) {
  auto acted = acted_hosts{};
  for (const auto& one : members)
    if (one->keeper.status().is_member(now)) {
      acted.doubly |= acted.all & one->hosts.acts_for();
      acted.all |= one->hosts.acts_for();
    }
  return acted;
}

/// Tells whether each host shard is on that of the nodes in the cluster where it belongs.
inline bool are_placed(const history_members& members, database& db, boot_time now) {
  auto candidates = std::vector<placement_candidate>{};
  auto fences = std::vector<write_fence>{};
  for (const auto& one : members)
    if (const auto& status = one->keeper.status(); status.is_member(now)) {
      candidates.push_back({.name = one->name});
      fences.push_back(status.fence());
    }
  const auto owners = host_owners(db);
  for (auto shard = std::size_t{0}; shard < shard_count; ++shard) {
    const auto number = static_cast<std::uint8_t>(shard);
    const auto place = preferred_node(actor_kind::host, number, candidates);
    if (!place || owners[shard] != fences[*place])
      return false;
  }
  return true;
}

} // namespace trunkline::kit
