/// One connection to a PostgreSQL server, without any notion of transactions.
///
/// Throws nothing. After a failure `is_open` tells whether the connection still stands; a lost one
/// stays lost until `connect`.
#pragma once

#include "storage/database.hpp"

#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace trunkline {

class postgres_session {
public:
  /// `options` is a connection string of libpq, key=value or URL.
  explicit postgres_session(std::string_view options);
  ~postgres_session();

  /// Connects anew. Fails with `errc::unavailable`, or with `storage_refused` when the server could
  /// lose what it has confirmed or does not store UTF-8.
  caf::error connect();

  bool is_open() const;

  /// Runs `statements` as one simple-query message; returns the rows of the last one.
  caf::expected<sql_result> send(const std::string& statements, std::string_view table = {});

  /// Runs one prepared statement. Behind a pooler that mixes sessions it may fail once with
  /// `storage_busy`; from then on nothing is prepared.
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values);

  /// Returns `value` as a literal of `type` ("bigint", "text" or "bytea"). Text must be storable.
  std::string literal(const sql_value& value, std::string_view type);

private:
  struct connection;

  /// Maps the exception that is being handled, and draws the consequences for the connection.
  caf::error fail(const std::exception& thrown, std::string_view table);

  std::string options_;
  bool may_prepare_ = true;
  std::unique_ptr<connection> connection_;
};

} // namespace trunkline
