/// What one transaction writes of the books of delivery.
#pragma once

#include "protocol/delivery_progress.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/mark_sums.hpp"
#include "protocol/unit_list.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace trunkline {

/// A row of `shard_mark`.
struct shard_mark {
  std::uint8_t shard = 0;
  delivery_class cls = delivery_class::bulk;
  log_seq seq = 0;
  std::vector<unit_key> acked = {}; ///< Sorted, all after `seq`.
  mark_sums sums = {};

  friend bool operator==(const shard_mark&, const shard_mark&) = default;
};

/// A row of `host_backlog`.
struct host_backlog {
  host_id host;
  delivery_class cls = delivery_class::bulk;
  log_seq behind_from = 0;     ///< Nothing up to here is open.
  std::vector<unit_key> acked; ///< Sorted, all after it.
  std::int64_t count = 0;      ///< Open units of those offered up to `counted_to`.
  log_seq counted_to = 0;
  time_point oldest_at;
};

struct checkpoint {
  std::vector<shard_mark> marks;
  std::vector<host_backlog> backlogs;
  std::vector<std::pair<host_id, delivery_class>> caught_up; ///< Backlog rows that go.
  std::vector<exception_change> exceptions;
  std::vector<host_facts> facts;

  bool is_empty() const {
    return marks.empty() && backlogs.empty() && caught_up.empty() && exceptions.empty() &&
           facts.empty();
  }
  std::size_t rows() const {
    return marks.size() + backlogs.size() + caught_up.size() + exceptions.size() + facts.size();
  }
};

} // namespace trunkline
