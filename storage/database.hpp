/// The only seam to the databases: SQL in, rows out, and two ways to commit.
///
/// A `database` is one connection. It belongs to one thread at a time and blocks. SQL is written
/// once, in what SQLite and PostgreSQL share: `$1` parameters, `ON CONFLICT`, `RETURNING`; columns
/// are bigint, text or bytea.
#pragma once

#include "protocol/errc.hpp"
#include "protocol/ids.hpp"
#include "protocol/log_entry.hpp"
#include "protocol/time.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trunkline {

/// Bytes of a bytea column; text is `std::string`.
struct blob {
  std::string bytes;
  friend auto operator<=>(const blob&, const blob&) = default;
};

/// One value in or out. Text with a NUL byte is refused as a parameter on both databases.
class sql_value {
public:
  sql_value() = default; ///< NULL
  sql_value(std::nullptr_t) {}
  sql_value(std::int64_t number) : content_{number} {}
  sql_value(int number) : content_{std::int64_t{number}} {}
  sql_value(bool flag) : content_{std::int64_t{flag ? 1 : 0}} {}
  sql_value(std::string text) : content_{std::move(text)} {}
  sql_value(std::string_view text) : content_{std::string{text}} {}
  sql_value(const char* text) : content_{std::string{text}} {}
  sql_value(blob bytes) : content_{std::move(bytes)} {}
  sql_value(time_point at) : content_{to_micros(at)} {}
  template <class Kind>
  sql_value(basic_id<Kind> id) : content_{id.value} {}
  template <class T>
  sql_value(const std::optional<T>& value) {
    if (value)
      *this = sql_value{*value};
  }

  bool is_null() const { return std::holds_alternative<std::monostate>(content_); }
  const auto& content() const { return content_; }

  /// Each returns the content; NULL or another type gives 0 or "". A store knows its columns.
  std::int64_t integer() const;
  const std::string& text() const;
  const std::string& bytes() const;

  bool flag() const { return integer() != 0; }
  time_point time() const { return from_micros(integer()); }
  template <class Id>
  Id id() const {
    return Id{integer()};
  }
  std::optional<time_point> optional_time() const {
    return is_null() ? std::nullopt : std::optional{time()};
  }
  std::optional<std::string> optional_text() const {
    return is_null() ? std::nullopt : std::optional{text()};
  }

  friend bool operator==(const sql_value&, const sql_value&) = default;

private:
  std::variant<std::monostate, std::int64_t, std::string, blob> content_;
};

using sql_row = std::vector<sql_value>;

/// What a statement gave: the rows of a SELECT or RETURNING, and how many rows it wrote.
struct sql_result {
  std::vector<sql_row> rows;
  std::int64_t rows_written = 0; ///< Inserted, updated and deleted.
};

/// Returns why a statement failed; nothing when it did not.
inline caf::error error_of(caf::expected<sql_result> done) {
  return done ? caf::error{} : std::move(done.error());
}

/// The fence of section 7 of the design: who writes, checked in the commit. The node must be in
/// that incarnation and neither dead nor gone. A node that is alone may do without.
struct write_fence {
  std::int64_t node = 0;
  std::int64_t incarnation = 0;

  friend bool operator==(const write_fence&, const write_fence&) = default;
};

/// Returns what a batch fails with whose fence does not stand: `errc::unavailable`.
caf::error fence_refusal();

/// Tells a refused fence from a database that is away.
bool is_fence_refusal(const caf::error& failure);

/// How a SELECT holds its rows until the transaction ends.
enum class row_lock : std::uint8_t {
  shared,    ///< Nobody can take them alone; changes that keep their keys go on.
  exclusive, ///< Taken alone: waits for every other hold.
};

/// What one batch got from the log.
struct commit_receipt {
  log_seq previous = 0; ///< The newest row before this batch; 0 in an empty log.
  log_seq first = 0;    ///< Of this batch's rows, which are numbered one by one. 0: none.
  log_seq last = 0;
};

class database {
public:
  virtual ~database() = default;

  /// Runs one statement. `values` are bound to `$1`, `$2`, ...; every one must be used.
  /// Fails with `errc::unique_violation` (context: the columns or the index), `storage_full`,
  /// `storage_busy`, `unavailable` (connection lost), `storage_broken` or `storage_refused`.
  virtual caf::expected<sql_result> run(std::string_view sql,
                                        std::span<const sql_value> values) = 0;

  caf::expected<sql_result> run(std::string_view sql, std::initializer_list<sql_value> values) {
    return run(sql, std::span{values.begin(), values.size()});
  }
  caf::expected<sql_result> run(std::string_view sql) { return run(sql, {}); }

  /// Runs `body` in a transaction, or in a savepoint when one is open, and commits. An error of
  /// `body` rolls back what it wrote, and is returned.
  virtual caf::error transact(const std::function<caf::error(database&)>& body) = 0;

  /// Runs `body` in a transaction, appends the rows that it returns to the log, and commits. On
  /// PostgreSQL the fence, the lock of the log, its rows and COMMIT leave as one message, so that
  /// `seq` becomes visible in commit order and no client stands between them; an outcome that is
  /// lost with the connection is looked up by `batch_id` for at most 5 s (`commit_unknown` after).
  /// A fence that does not stand fails with `fence_refusal`, and nothing is written.
  /// `batch_id` is never given twice. Must not be called inside `transact`.
  virtual caf::expected<commit_receipt>
  commit_batch(std::int64_t batch_id, time_point now, const std::optional<write_fence>& fence,
               const std::function<caf::expected<std::vector<log_draft>>(database&)>& body) = 0;

  /// Rows inserted, updated and deleted on this connection so far, the log's and the batch's
  /// included. Survives a reconnect.
  virtual std::int64_t rows_written() const = 0;

  /// Returns the type of a 64-bit key column that makes it the table's own key: what migrations
  /// put for `{key}`.
  virtual std::string_view key_type() const = 0;

  /// Returns an expression for the server's own clock at the moment it is evaluated, in
  /// microseconds since 1970. Text of ours, without parameters.
  virtual std::string_view now_sql() const = 0;

  /// Returns an expression that changes when the server starts anew or another takes its place; the
  /// empty text on SQLite, which has no server.
  virtual std::string_view server_sql() const = 0;

  /// Returns what ends a SELECT that holds its rows, with a space before it; "" on SQLite, which
  /// lets one transaction write at a time.
  virtual std::string_view lock_sql(row_lock lock) const = 0;

  /// Tells "sqlite" or "postgres", for logs and reports; no logic depends on it.
  virtual std::string_view dialect() const = 0;
};

} // namespace trunkline
