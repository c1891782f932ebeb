/// The books of delivery: how far every host is, and what of it must be written so that nothing is
/// lost, next to nothing sent twice, and every unit counted once.
///
/// A mark per shard and class says that every unit up to it is settled, or covered by a row of
/// `host_backlog` or `delivery_exception`; `acked` lists the units after it that are settled. A
/// host that lags gets a backlog row, a mark of its own, and holds the shard's mark back no more.
/// The row goes when nothing open of the host lies at or before the mark. Nothing is forgotten
/// before the commit that makes it superfluous.
///
/// Of the sums only outcomes are written, each in the transaction in which its unit is covered;
/// what is open is counted per host. So a restart counts what it offers again, and nothing twice.
/// What a second costs depends on the hosts that changed in it.
///
/// They hold some of the shards, which come and go. Each knows up to which row of the log it was
/// handed what it is owed: one that comes later is read for again, while the others are further.
/// Pure values without a clock; one thread.
#pragma once

#include "protocol/checkpoint.hpp"
#include "protocol/delivery_progress.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/shard.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace trunkline {

struct delivery_books_limits {
  std::chrono::microseconds lag_max = std::chrono::seconds{1}; ///< Past it a host has a row.
  std::int64_t idle_rows_max = 4'096;      ///< How far the mark of an idle shard may fall behind.
  std::size_t acked_max = acked_units_max; ///< Units of a mark; past it who lags gets a row.
  std::size_t waiting_max = 256;           ///< Hosts that a mark's row counts; others get a row.
};

class delivery_books {
public:
  explicit delivery_books(delivery_books_limits limits = {}, shard_set held = all_shards());

  /// Holds these too from now on, of which nothing is known yet.
  void add(const shard_set& gained) { held_ |= gained; }
  /// What the database has of a shard, before anything else: marks, then rows, then exceptions that
  /// wait.
  void load(shard_mark mark);
  void load(host_backlog row, std::uint8_t shard);
  void load_exceptions(host_id host, std::uint8_t shard, std::int64_t waiting);
  /// Hosts in these are handed nothing more, and their marks pass nothing that they were not.
  void close(const shard_set& left) { closed_ |= left; }
  /// They are handed again what they are owed, once the log is read from `start`.
  void reopen(const shard_set& kept) { closed_ &= ~kept; }
  /// Holds these no more. Between two checkpoints, when all that their hosts told is written.
  /// Returns the hosts of which something was known.
  std::vector<host_id> forget(const shard_set& left);
  const shard_set& held() const { return held_; }

  /// Returns after which row the log must be read: up to there every shard was handed all.
  log_seq start() const;
  /// Tells whether hosts in the shard are to be handed what they are owed of a row.
  bool wants(std::uint8_t shard, delivery_class cls, log_seq seq) const;
  /// Returns up to which row hosts in the shard were handed all.
  log_seq handed_upto(std::uint8_t shard, delivery_class cls) const;

  /// Notes a unit that is owed. False when it is settled or covered: it must not be offered.
  bool offer(host_id host, std::uint8_t shard, const delivery_unit& unit);
  /// Notes a unit that is owed, and cancelled at once. False when too many are listed: it must be
  /// offered, for what no list names is owed again after a crash.
  bool cancel(host_id host, std::uint8_t shard, const delivery_unit& unit);
  /// Every row after `start`, up to `seq`, was expanded.
  void advance(log_seq seq);

  void take(host_id host, const class_progress& news, time_point now);
  void take(exception_change change, std::uint8_t shard);
  void take(const host_facts& facts);
  /// Takes what is open again; the host has received what was offered up to `received_upto`.
  void take(host_id host, std::uint8_t shard, const reopened_units& reopened,
            log_seq received_upto);

  /// Returns up to where the host was offered units.
  offered_before offered_upto(host_id host) const;
  /// Returns what of the host's rows after `previous` is settled.
  settled_rows settled_after(host_id host, const offered_before& previous) const;
  /// Returns where the host stands; all of a host that is not known is settled.
  class_cursor cursor(host_id host, std::uint8_t shard, delivery_class cls) const;
  /// Tells whether anything of the host is open or must still be listed.
  bool knows(host_id host) const { return hosts_.contains(host); }
  bool is_open(host_id host) const;
  bool has_backlog(host_id host) const;
  /// Tells whether something of the host other than its marks is not in the database yet.
  bool has_unwritten(host_id host) const;
  std::int64_t exceptions(host_id host) const;
  std::size_t hosts_open() const;
  std::size_t hosts_behind() const;

  /// Returns the sums of all hosts, those of earlier runs included.
  const delivery_sums& sums() const { return sums_; }
  /// Returns how the hosts have changed since the last call.
  std::vector<host_change> take_changes();

  /// Returns what has changed. One checkpoint at a time, until `committed` or `failed`.
  checkpoint collect(time_point now);
  void committed(const checkpoint& written);
  /// It may be in the database or not: all of it is written again.
  void failed(const checkpoint& lost);

private:
  struct class_entry {
    log_seq offered_upto = 0;
    log_seq counted_upto = 0; ///< What is offered up to here again is counted already.
    std::optional<log_seq> first_open;
    std::optional<log_seq> reopened_from;
    std::vector<unit_key> settled; ///< Those that a mark or a backlog row must list; sorted.
    std::int64_t pending = 0;      ///< Open units, without exceptions.
    bool rows_gone = false;        ///< Some of them were no longer in the log.
    time_point oldest_at;
    std::optional<host_backlog> stored;
    bool is_doubtful = false; ///< Whether the database has `stored` as it is here.
    bool is_active = false;   ///< It is in `active` of its shard.
    bool is_stale = false;    ///< It is in `stale` of its shard.
  };
  struct host_entry {
    host_id id;
    std::uint8_t shard = 0;
    std::array<class_entry, delivery_classes> classes;
  };
  struct shard_entry {
    shard_mark stored;
    log_seq passed = 0;              ///< Up to where a mark was written, or may have been.
    log_seq read_upto = 0;           ///< Its hosts were handed all that they are owed up to here.
    log_seq counted_upto = 0;        ///< Of its hosts; 0 once all of it was read again.
    delivery_sums ended;             ///< As `mark_sums`, by now.
    std::vector<host_entry*> active; ///< Without a row, or what they have is not in theirs.
    std::vector<host_entry*> stale;  ///< Their rows do not count all that was offered.
    std::set<unit_key> loaded;       ///< `acked` of the mark, whose rows were not read again yet.
    std::map<log_seq, delivery_sums> unlisted; ///< Of `ended`: covered once a mark is there.
    time_point lag_at = time_point::max();     ///< When a host has to get a row.
    bool is_dirty = false;
    bool is_doubtful = false; ///< Whether the database has `stored`.
  };

  struct excepted_units {
    std::uint8_t shard = 0;
    std::int64_t waiting = 0;
  };

  shard_entry& of(std::uint8_t shard, delivery_class cls) {
    return shards_[shard * delivery_classes + index_of(cls)];
  }
  const shard_entry& of(std::uint8_t shard, delivery_class cls) const {
    return shards_[shard * delivery_classes + index_of(cls)];
  }
  const class_entry* find(host_id host, delivery_class cls) const;
  host_entry& host_of(host_id host, std::uint8_t shard);
  static shard_entry empty_entry(std::size_t at);
  bool is_handed(std::size_t shard) const { return held_[shard] && !closed_[shard]; }
  void touch(host_entry& host, delivery_class cls);
  void note_stale(host_entry& host, delivery_class cls);

  // delivery_sums.cpp: what is counted
  void count_offered(host_id host, std::int64_t units);
  void count_excepted(host_id host, std::uint8_t shard, std::int64_t units);
  void count_ended(host_id host, shard_entry& shard, unit_outcome outcome, std::int64_t units);
  void count_unlisted(host_id host, shard_entry& shard, unit_outcome outcome, std::int64_t units,
                      log_seq upto);
  void settle(host_entry& host, delivery_class cls, unit_outcome outcome);
  void end_leftover(host_entry& host, delivery_class cls);

  // delivery_checkpoints.cpp: what is written
  void collect_shard(shard_entry& shard, time_point now, bool rows_for_all, checkpoint& into);
  void count_waiting(shard_entry& shard, const std::vector<host_entry*>& kept, shard_mark& mark,
                     std::vector<host_backlog>& rows) const;
  static host_backlog row_of(const host_entry& host, delivery_class cls);
  static bool is_written(const class_entry& entry);
  void prune(shard_entry& shard);
  void note_stored(host_id host, delivery_class cls, std::optional<host_backlog> row,
                   bool is_doubtful);

  delivery_books_limits limits_;
  std::vector<shard_entry> shards_;
  std::unordered_map<host_id, host_entry> hosts_; ///< Whose places in memory stay.
  shard_set held_;
  shard_set closed_; ///< Held, and handed nothing more.
  delivery_sums sums_;
  std::unordered_map<host_id, delivery_sums> changes_;   ///< Since `take_changes`.
  std::unordered_map<host_id, excepted_units> excepted_; ///< Exceptions that wait.
  std::map<unit_key, exception_change> exceptions_;      ///< To be written.
  std::unordered_map<host_id, std::size_t> unwritten_;   ///< How many of them are a host's.
  std::unordered_map<host_id, host_facts> facts_;        ///< To be written.
  std::unordered_set<host_id> writing_; ///< Hosts whose exceptions or facts are being written.
  std::vector<shard_entry*> collected_; ///< By the checkpoint under way.
};

} // namespace trunkline
