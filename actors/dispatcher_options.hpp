/// Limits and times of the dispatcher.
#pragma once

#include "protocol/delivery_books.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace trunkline {

struct dispatcher_options {
  bool owns_all = true; ///< All shards of hosts, from the start; false: those of which it is told.
  delivery_books_limits books;
  std::size_t rows_max = 1'024;          ///< Rows that wait; more are dropped and read again.
  std::size_t batch_max = 64;            ///< Rows that are expanded at once.
  std::int64_t outstanding_max = 16'384; ///< Offers not taken: past it no more rows are expanded.
  std::size_t wakes_at_once = 128;       ///< Hosts woken and not heard of, for a second at most.
  std::ptrdiff_t asks_max = 4; ///< Of one host that wait; earlier lives of it are among them.
  std::size_t hosts_per_page = 2'000;    ///< Read at once for the board.
  std::size_t endpoints_max = 1'000'000; ///< Kept in memory.
  std::chrono::milliseconds checkpoint_interval{1'000};
  std::size_t settled_at_once = 4; ///< Of one host since the last checkpoint: the next comes early,
  std::chrono::milliseconds early_after{100}; ///< so long after that.
  std::chrono::seconds recipients_kept{60};
  std::chrono::seconds silence_max{60};  ///< After its next try a host is looked after.
  std::chrono::seconds refused_wait{10}; ///< After the region refused a host.
  std::chrono::minutes pause_known{10};  ///< How long a paused host is told of nothing.
  std::chrono::seconds stop_max{20};     ///< Until the hosts of a shard that leaves are gone.
};

} // namespace trunkline
