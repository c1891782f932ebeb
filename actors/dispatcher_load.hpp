/// What the dispatcher reads of the database when shards of hosts come to it.
#pragma once

#include "actors/blocked_domains.hpp"
#include "protocol/shard.hpp"
#include "storage/delivery_store.hpp"
#include "storage/host_store.hpp"

#include <caf/expected.hpp>

#include <vector>

namespace trunkline {

struct loaded_books {
  stored_books books;
  blocked_domains::names blocked; ///< Of all.
  std::vector<waiting_host> waiting;
  std::vector<drained_host> drained;
  log_seq newest = 0; ///< Row.
};

/// Reads what there is of hosts in `wanted`.
caf::expected<loaded_books> read_books(database& db, const shard_set& wanted);

} // namespace trunkline
