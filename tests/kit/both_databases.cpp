#include "tests/kit/both_databases.hpp"

#include "protocol/crypto.hpp"
#include "storage/migrations.hpp"
#include "storage/postgres_database.hpp"
#include "storage/sqlite_database.hpp"
#include "tests/kit/postgres_server.hpp"
#include "tests/kit/temp_folder.hpp"

#include <algorithm>

namespace trunkline::kit {

namespace {

class sqlite_test_database final : public test_database {
public:
  explicit sqlite_test_database(with_schema schema)
      : folder_{quick_folder()}, db_{must(open_sqlite(file(), sqlite_mode::writer))} {
    if (schema == with_schema::all_migrations)
      must(migrate(*db_));
  }

  database& db() override { return *db_; }
  std::unique_ptr<database> connect() override {
    return must(open_sqlite(file(), sqlite_mode::writer));
  }
  std::unique_ptr<database> connect_reader() override {
    return must(open_sqlite(file(), sqlite_mode::reader));
  }

private:
  std::filesystem::path file() const { return folder_ / "test.db"; }

  temp_folder folder_;
  std::unique_ptr<database> db_;
};

class postgres_test_database final : public test_database {
public:
  explicit postgres_test_database(with_schema schema)
      : where_{fresh_postgres_database(schema == with_schema::all_migrations)},
        db_{must(open_postgres(where_))} {}

  database& db() override { return *db_; }
  std::unique_ptr<database> connect() override { return must(open_postgres(where_)); }
  std::unique_ptr<database> connect_reader() override { return connect(); }

private:
  std::string where_;
  std::unique_ptr<database> db_;
};

std::string rendered(const sql_value& value) {
  const auto& content = value.content();
  if (const auto* number = std::get_if<std::int64_t>(&content))
    return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&content))
    return *text;
  if (const auto* bytes = std::get_if<blob>(&content))
    return "x'" + to_hex(bytes->bytes) + "'";
  return "null";
}

std::string rendered(const sql_row& row) {
  auto line = std::string{};
  for (const auto& value : row)
    line += (&value == row.data() ? "" : "|") + rendered(value);
  return line;
}

std::vector<std::string> tables_of(database& db) {
  const auto* catalogue = db.dialect() == "sqlite"
                              ? "SELECT name FROM sqlite_schema WHERE type = 'table'"
                              : "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
  return rows_of(db.run(catalogue));
}

} // namespace

std::unique_ptr<test_database> fresh_sqlite(with_schema schema) {
  return std::make_unique<sqlite_test_database>(schema);
}

std::unique_ptr<test_database> fresh_postgres(with_schema schema) {
  return std::make_unique<postgres_test_database>(schema);
}

void on_both(const std::function<void(test_database&)>& body, with_schema schema) {
  {
    INFO("on sqlite");
    body(*fresh_sqlite(schema));
  }
  INFO("on postgres");
  body(*fresh_postgres(schema));
}

std::vector<std::string> rows_of(const caf::expected<sql_result>& result) {
  if (!result)
    return {std::string{to_string(code_of(result.error()))} + ": " + context_of(result.error())};
  auto lines = std::vector<std::string>{};
  for (const auto& row : result->rows)
    lines.push_back(rendered(row));
  return lines;
}

std::vector<std::string> dump(database& db) {
  auto lines = std::vector<std::string>{};
  for (const auto& table : tables_of(db))
    for (const auto& row : rows_of(db.run("SELECT * FROM " + table)))
      lines.push_back(table + ": " + row);
  std::sort(lines.begin(), lines.end());
  return lines;
}

} // namespace trunkline::kit
