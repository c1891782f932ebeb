/// Runs one test body on SQLite and on PostgreSQL, each time on a fresh database, and compares.
///
///     kit::on_both([](kit::test_database& fresh) {
///       auto& db = fresh.db();
///       REQUIRE(db.run("INSERT ..."));
///     });
///
///     const auto answer = kit::equal_on_both([](kit::test_database& fresh) {
///       return kit::rows_of(fresh.db().run("SELECT ..."));  // compared between the two
///     });
#pragma once

#include "storage/database.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trunkline::kit {

/// One fresh database. Not copied; connections must end before it does.
class test_database {
public:
  virtual ~test_database() = default;

  /// The first connection, which may write.
  virtual database& db() = 0;

  /// Opens another connection for another thread; on SQLite a second writer waits for the first.
  virtual std::unique_ptr<database> connect() = 0;

  /// Opens a connection that only reads.
  virtual std::unique_ptr<database> connect_reader() = 0;

  bool is_sqlite() { return db().dialect() == "sqlite"; }
};

enum class with_schema { all_migrations, none };

std::unique_ptr<test_database> fresh_sqlite(with_schema schema = with_schema::all_migrations);
std::unique_ptr<test_database> fresh_postgres(with_schema schema = with_schema::all_migrations);

/// Runs `body` on one and then on the other; a failed check names the database.
void on_both(const std::function<void(test_database&)>& body,
             with_schema schema = with_schema::all_migrations);

/// Runs `body` on both, requires that what it returns is equal, and returns it.
template <class Body>
auto equal_on_both(Body body, with_schema schema = with_schema::all_migrations) {
  auto left = [&] {
    INFO("on sqlite");
    const auto fresh = fresh_sqlite(schema);
    return body(*fresh);
  }();
  auto right = [&] {
    INFO("on postgres");
    const auto fresh = fresh_postgres(schema);
    return body(*fresh);
  }();
  REQUIRE(left == right);
  return left;
}

/// Renders a result: one line per row, "7|text|x'00ff'|null"; or the failure's code and context.
std::vector<std::string> rows_of(const caf::expected<sql_result>& result);

/// Renders every row of every table, sorted: two dumps are equal when nothing has changed.
std::vector<std::string> dump(database& db);

/// Requires success and returns the value.
template <class T>
T must(caf::expected<T> result) {
  if (!result)
    FAIL(to_string(code_of(result.error())) << ": " << context_of(result.error()));
  return std::move(*result);
}

inline void must(const caf::error& failure) {
  if (failure)
    FAIL(to_string(code_of(failure)) << ": " << context_of(failure));
}

} // namespace trunkline::kit
