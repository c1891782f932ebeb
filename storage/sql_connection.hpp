/// What the connections to both databases have in common: the levels of a transaction.
///
/// After a failed statement the level it ran in can only be rolled back: every later statement of
/// that level gives the same failure, and so does the level. PostgreSQL insists on it; SQLite would
/// go on, and the answers would differ.
#pragma once

#include "storage/database.hpp"

#include <vector>

namespace trunkline {

class sql_connection : public database {
public:
  using database::run;
  caf::expected<sql_result> run(std::string_view sql, std::span<const sql_value> values) final;
  caf::error transact(const std::function<caf::error(database&)>& body) final;
  std::int64_t rows_written() const final { return rows_written_; }

protected:
  /// What differs. Each reports failures as `database::run` does and throws nothing.
  virtual caf::expected<sql_result> execute(std::string_view sql,
                                            std::span<const sql_value> values) = 0;
  virtual caf::error begin() = 0;
  virtual caf::error commit() = 0;
  virtual void roll_back() = 0;
  virtual caf::error open_savepoint(std::size_t depth) = 0;
  virtual caf::error release_savepoint(std::size_t depth) = 0;
  virtual caf::error roll_back_savepoint(std::size_t depth) = 0;

  /// Tells whether the database has ended the transaction by itself: nothing of it can be kept.
  virtual bool transaction_lost() const = 0;

  /// Opens the outermost level, runs `body` in it and leaves it open when it succeeds; rolled back
  /// and closed when it fails.
  caf::error open_with(const std::function<caf::error(database&)>& body);
  /// Commits the outermost level; rolls back when that fails.
  caf::error close_level();
  /// Forgets the outermost level, which the database has ended.
  void drop_level() { failures_.clear(); }

  bool in_transaction() const { return !failures_.empty(); }
  void count_written(std::int64_t rows) { rows_written_ += rows; }

private:
  caf::error enter();
  caf::error leave();
  void abandon();
  void note(const caf::error& failure);

  std::vector<caf::error> failures_; ///< One per open level: why it can only be rolled back.
  std::int64_t rows_written_ = 0;
};

} // namespace trunkline
