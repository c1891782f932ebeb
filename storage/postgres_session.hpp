/// One connection to a PostgreSQL server, without any notion of transactions.
///
/// Throws nothing. After a failure `is_open` tells whether the connection still stands; a lost one
/// stays lost until `connect`. Behind a pooler, which the server's process id gives away, nothing
/// is prepared: in transaction mode the next statement may meet another server process.
#pragma once

#include "storage/database.hpp"
#include "storage/postgres_options.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace trunkline {

class postgres_session {
public:
  /// `where` is a connection string of libpq, key=value or URL.
  explicit postgres_session(std::string_view where, postgres_options options);
  ~postgres_session();

  /// Connects anew. Fails with `errc::unavailable`, or with `storage_refused` when the server could
  /// lose what it has confirmed or does not store UTF-8. After a failure that took time the next
  /// attempts fail at once for as long, at most 250 ms: what has queued up meanwhile must not wait
  /// for one attempt each.
  caf::error connect();

  bool is_open() const;

  /// Runs `statements` as one simple-query message; returns the rows of the last one. Under a watch
  /// the connection is lost when there is no answer within `limit`.
  caf::expected<sql_result> send(const std::string& statements, std::string_view table,
                                 std::chrono::milliseconds limit);
  caf::expected<sql_result> send(const std::string& statements) {
    return send(statements, {}, options_.answer_max);
  }

  /// Runs one statement, prepared where that is safe; `limit` as above. Behind a pooler that was
  /// not recognised it may fail once with `storage_busy`; from then on nothing is prepared.
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values,
                                std::chrono::milliseconds limit);
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) {
    return run(sql, values, options_.answer_max);
  }

  /// Returns `value` as a literal of `type` ("bigint", "text" or "bytea"). Text must be storable.
  std::string literal(const sql_value& value, std::string_view type);

private:
  struct connection;

  caf::error try_connect();

  /// Lets attempts to connect fail with `failure` for as long as it `took`.
  void stay_away(const caf::error& failure, std::chrono::steady_clock::duration took);

  /// Maps the exception that is being handled, and draws the consequences for the connection.
  caf::error fail(const std::exception& thrown, std::string_view table);

  std::string where_;
  postgres_options options_;
  bool may_prepare_ = true;
  std::chrono::steady_clock::time_point away_until_;
  caf::error away_; ///< Why, until then.
  std::unique_ptr<connection> connection_;
};

} // namespace trunkline
