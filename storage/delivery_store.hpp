/// Delivery out of the log: the books as they are stored, who is owed a row, and what a host that
/// fell behind reads again.
#pragma once

#include "protocol/delivery_books.hpp"
#include "protocol/delivery_unit.hpp"
#include "protocol/host_address.hpp"
#include "protocol/host_facts.hpp"
#include "protocol/log_entry.hpp"
#include "storage/database.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trunkline {

/// Everything that the books begin with.
struct stored_books {
  std::vector<shard_mark> marks;
  std::vector<host_backlog> backlogs;
};
/// Returns those of hosts in `wanted`.
caf::expected<stored_books> load_books(database& db, const shard_set& wanted = all_shards());

/// Writes all that `changes` holds. Call it in a transaction.
caf::error save_checkpoint(database& db, const checkpoint& changes);

/// Rows with remote recipients.
struct deliverable_rows {
  std::vector<log_entry> rows; ///< Without facts, in order.
  log_seq upto = 0;            ///< Everything up to here was looked at.
};
/// Returns at most `limit` rows after `after` that have remote recipients.
caf::expected<deliverable_rows> read_deliverable(database& db, log_seq after, std::size_t limit);

/// An endpoint and the host it is on.
struct endpoint_on_host {
  std::shared_ptr<const delivery_endpoint> endpoint;
  host_address host;
  std::uint8_t shard = 0; ///< Of the host.
  /// Another one, on another host, that has what was written from `replaced_at` on; 0: none.
  endpoint_id replaced_by;
  time_point replaced_at;

  /// Returns where a row that was written at `at` goes.
  endpoint_id taker_of(time_point at) const {
    return replaced_by && at >= replaced_at ? replaced_by : endpoint->id;
  }
};
/// Returns those of `ids` that exist, and those that replace them; by id, each once.
caf::expected<std::vector<endpoint_on_host>> find_endpoints(database& db,
                                                            std::span<const endpoint_id> ids);

/// Returns the endpoints through which `author` has followers now, by id.
caf::expected<std::vector<endpoint_id>> present_endpoints(database& db, account_id author);

/// What a read found of the authors and endpoints that may have more for a host, so that the next
/// page asks nobody else. Opaque.
class missed_sources;

/// What a host that fell behind asks for.
struct missed_units {
  host_id host;
  delivery_class cls = delivery_class::bulk;
  log_seq from = 0;
  log_seq upto = 0;
  std::size_t limit = 512; ///< Units; a row is never cut.
  /// What the last answer to the same host and class said; null: none. Any may be given: one that
  /// does not fit is not used.
  std::shared_ptr<const missed_sources> sources;
};
struct found_units {
  std::vector<delivery_unit> units;              ///< In order.
  log_seq read_upto = 0;                         ///< Everything up to here is in `units`.
  log_seq gone_upto = 0;                         ///< Rows up to here were removed by age.
  std::shared_ptr<const missed_sources> sources; ///< For the next question; null at the end.
};
/// Finds the units of a host from two indexes: rows of the authors that its endpoints follow or
/// followed, and `log_extra`. Who in an audience a row is owed to is said by `owed_rule.hpp`. It
/// reads a few rows for each unit, and one for each author and endpoint when it has no `sources`.
caf::expected<found_units> find_missed(database& db, const missed_units& wanted);

/// What is sent for a row.
struct outgoing_activity {
  std::shared_ptr<const std::string> body; ///< Null when it was emptied by age, or never was.
  std::string sha256;
  account_id signer;
};
/// Fails with `errc::not_found` when the row is gone.
caf::expected<outgoing_activity> read_outgoing(database& db, log_seq seq);

/// An exception and its unit.
struct stored_exception {
  delivery_unit unit; ///< Of one that is gone: what `row` knows.
  delivery_exception row;
  bool is_gone = false;       ///< Its row of the log was removed by age: it has expired.
  bool is_taken_back = false; ///< A later row does: a Delete, or the Undo of a boost or a like.
};
/// Returns the exceptions of a host that are tried again, by row; at most `limit`.
caf::expected<std::vector<stored_exception>> waiting_exceptions(database& db, host_id host,
                                                                std::size_t limit);
/// Returns how many dead letters the host has.
caf::expected<std::int64_t> count_dead_letters(database& db, host_id host);

} // namespace trunkline
