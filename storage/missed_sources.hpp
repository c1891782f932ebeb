/// Where the rows come from that a host missed: its authors and its endpoints in `log_extra`, each
/// of which gives its own rows in order, merged into one.
///
/// Nothing is read of the log but rows of these sources, a few of each at a time.
#pragma once

#include "storage/delivery_store.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace trunkline {

/// Rows that are owed through one author, or name one endpoint.
struct missed_source {
  enum class kind_of : std::uint8_t {
    owed,       ///< Rows of an author with an audience.
    taken_back, ///< Of those what takes something back.
    named,      ///< Rows that name an endpoint, of any class.
  };
  kind_of kind = kind_of::owed;
  std::int64_t id = 0; ///< Of the author, or of the endpoint.
  log_seq next = 0;    ///< Nothing before it is to be read.
  log_seq upto = 0;
};

/// Every source that may have rows in a part of the log, as one look at its indexes found them.
class missed_sources {
public:
  /// Finds them for what is wanted; none is left out that has a row in it.
  static caf::expected<missed_sources> find(database& db, const missed_units& wanted);

  /// Tells whether a question can be answered from here, up to `upto()` at least in part.
  bool fit(const missed_units& wanted) const {
    return wanted.host == host_ && wanted.cls == cls_ && wanted.from >= from_ &&
           wanted.from <= upto_ && wanted.upto >= upto_;
  }
  /// Everything owed up to here comes from `open()`.
  log_seq upto() const { return upto_; }
  const std::vector<missed_source>& open() const { return open_; }
  /// The endpoints that may stand in audiences, sorted.
  const std::vector<endpoint_id>& members() const { return members_; }

  /// Returns what is left from `from` on, of which `open` may have rows.
  missed_sources rest(log_seq from, std::vector<missed_source> open) const;

private:
  host_id host_;
  delivery_class cls_ = delivery_class::bulk;
  log_seq from_ = 0;
  log_seq upto_ = 0;
  std::vector<missed_source> open_;
  std::vector<endpoint_id> members_;
};

/// A row of the log as delivery looks at it.
struct missed_row {
  delivery_unit unit; ///< Without its endpoint.
  bool is_public = true;
  audience_id audience;           ///< 0: it was found by its `named` alone.
  std::vector<endpoint_id> named; ///< Of the host's own.
};

/// Merges the rows of sources in order of `seq`, each once.
class missed_reader {
public:
  missed_reader(database& db, delivery_class cls, const missed_sources& sources);

  /// Returns the next row; nothing at the end, or when much was read. A row is never cut.
  caf::expected<std::optional<missed_row>> next();

  /// Everything up to here was returned.
  log_seq read_upto() const { return order_.empty() ? upto_ : order_.begin()->first - 1; }

  /// Returns the sources that may have rows after `seq`, which is at most `read_upto`.
  std::vector<missed_source> open_after(log_seq seq) const;

private:
  struct source_run {
    missed_source source;        ///< `next`: of what was not read.
    std::deque<missed_row> rows; ///< Read, and not returned.
    log_seq returned_upto = 0;
    std::int64_t limit = 4; ///< Of the next read; grows.
    std::int64_t got = 0;   ///< By the last one.
    bool is_done = false;

    log_seq position() const { return rows.empty() ? source.next : rows.front().unit.seq; }
  };

  void put_back(std::size_t index);
  caf::expected<bool> has_row(bool may_stop);
  caf::error read_with_others(std::size_t index);
  caf::error read(const std::vector<std::size_t>& chosen);
  caf::error take(const sql_row& row, source_run& from);

  database& db_;
  delivery_class cls_;
  log_seq upto_;
  std::vector<source_run> runs_;
  std::set<std::pair<log_seq, std::size_t>> order_; ///< Runs that are not at their end.
  std::size_t rows_read_ = 0;
};

} // namespace trunkline
