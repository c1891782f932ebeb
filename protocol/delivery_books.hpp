/// The books of delivery: how far every host is, and what of it must be written so that nothing is
/// lost and next to nothing sent twice.
///
/// A mark per shard and class says that every unit up to it is settled, or covered by a row of
/// `host_backlog` or `delivery_exception`; `acked` lists the units after it that are settled. A
/// host that lags gets a backlog row, a mark of its own, and holds the shard's mark back no more.
/// The row goes when nothing open of the host lies at or before the mark. Nothing is forgotten
/// before the commit that makes it superfluous. Pure values without a clock; one thread.
#pragma once

#include "protocol/delivery_progress.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/unit_list.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace trunkline {

struct delivery_books_limits {
  std::chrono::microseconds lag_max = std::chrono::seconds{1}; ///< Past it a host has a row.
  std::int64_t idle_rows_max = 4'096;      ///< How far the mark of an idle shard may fall behind.
  std::size_t acked_max = acked_units_max; ///< Units of a mark; past it who lags gets a row.
};

/// A row of `shard_mark`.
struct shard_mark {
  std::uint8_t shard = 0;
  delivery_class cls = delivery_class::bulk;
  log_seq seq = 0;
  std::vector<unit_key> acked; ///< Sorted, all after `seq`.

  friend bool operator==(const shard_mark&, const shard_mark&) = default;
};

/// A row of `host_backlog`.
struct host_backlog {
  host_id host;
  delivery_class cls = delivery_class::bulk;
  log_seq behind_from = 0;     ///< Nothing up to here is open.
  std::vector<unit_key> acked; ///< Sorted, all after it.
  std::int64_t count = 0;      ///< Open units, as last counted.
  log_seq counted_to = 0;
  time_point oldest_at;
};

/// What one transaction writes.
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

class delivery_books {
public:
  explicit delivery_books(delivery_books_limits limits = {});

  /// What the database has; before anything else.
  void load(shard_mark mark);
  void load(host_backlog row, std::uint8_t shard);
  /// Returns after which row the log must be read.
  log_seq start() const;

  /// Notes a unit that is owed. False when it is settled or covered: it must not be offered.
  bool offer(host_id host, std::uint8_t shard, const delivery_unit& unit);
  /// Every row up to `seq` was expanded.
  void advance(log_seq seq) { read_upto_ = std::max(read_upto_, seq); }

  void take(host_id host, const class_progress& news, time_point now);
  void take(exception_change change);
  void take(const host_facts& facts);

  /// Returns up to where the host was offered units.
  offered_before offered_upto(host_id host) const;
  /// Returns where the host stands; all of a host that is not known is settled.
  class_cursor cursor(host_id host, std::uint8_t shard, delivery_class cls) const;
  /// Tells whether anything of the host is open or must still be listed.
  bool knows(host_id host) const { return hosts_.contains(host); }
  bool is_open(host_id host) const;
  bool has_backlog(host_id host) const;
  /// Tells whether something of the host other than its marks is not in the database yet.
  bool has_unwritten(host_id host) const;
  std::size_t hosts_open() const;
  std::size_t hosts_behind() const;

  /// Returns what has changed. One checkpoint at a time, until `committed` or `failed`.
  checkpoint collect(time_point now);
  void committed(const checkpoint& written);
  /// It may be in the database or not: all of it is written again.
  void failed(const checkpoint& lost);

private:
  struct class_entry {
    log_seq offered_upto = 0;
    std::optional<log_seq> first_open;
    std::set<unit_key> settled; ///< Those that a mark or a backlog row must list.
    std::int64_t open = 0;
    time_point oldest_at;
    std::optional<host_backlog> stored;
    bool is_doubtful = false; ///< Whether the database has `stored` as it is here.
  };
  struct host_entry {
    std::uint8_t shard = 0;
    std::array<class_entry, delivery_classes> classes;
  };
  struct shard_entry {
    shard_mark stored;
    std::set<host_id> hosts;
    std::set<unit_key> loaded; ///< `acked` of the mark, whose rows were not read again yet.
  };

  static constexpr std::size_t shards = 256;

  shard_entry& of(std::uint8_t shard, delivery_class cls) {
    return shards_[shard * delivery_classes + index_of(cls)];
  }
  const shard_entry& of(std::uint8_t shard, delivery_class cls) const {
    return shards_[shard * delivery_classes + index_of(cls)];
  }
  class_entry& entry_of(host_id host, std::uint8_t shard, delivery_class cls);
  void collect_shard(shard_entry& shard, time_point now, bool rows_for_all, checkpoint& into);
  void prune(shard_entry& shard, delivery_class cls);
  void note_stored(host_id host, delivery_class cls, std::optional<host_backlog> row,
                   bool is_doubtful);

  delivery_books_limits limits_;
  std::vector<shard_entry> shards_;
  std::unordered_map<host_id, host_entry> hosts_;
  log_seq read_upto_ = 0;
  std::map<unit_key, exception_change> exceptions_; ///< To be written.
  std::unordered_map<host_id, host_facts> facts_;   ///< To be written.
  std::set<host_id> writing_; ///< Hosts whose exceptions or facts are being written.
};

} // namespace trunkline
