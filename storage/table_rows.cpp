#include "storage/table_rows.hpp"

#include "storage/sql_list.hpp"
#include "storage/statement.hpp"

#include <algorithm>
#include <string>

namespace trunkline {

namespace {

/// Parameters of one INSERT: past some thousands they cost more than another statement.
constexpr std::size_t parameters_at_once = 4'000;

/// A letter of UTF-8, and a value with what stands around it.
constexpr std::int64_t letter_bytes_max = 4;
constexpr std::int64_t value_bytes = 16;

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  auto text = std::string{};
  for (const auto& part : parts)
    text += (text.empty() ? std::string{} : std::string{between}) + part;
  return text;
}

std::string columns_of(const table_shape& table) {
  auto names = std::vector<std::string>{};
  for (const auto& column : table.columns)
    names.push_back(column.name);
  return joined(names, ", ");
}

std::string key_columns_of(const table_shape& table, std::string_view by_bytes) {
  auto names = std::vector<std::string>{};
  for (const auto place : table.key) {
    const auto& column = table.columns[place];
    names.push_back(column.kind == column_kind::text ? column.name + std::string{by_bytes}
                                                     : column.name);
  }
  return joined(names, ", ");
}

/// `length` counts letters of text and bytes of bytes, on both databases.
std::string size_of(const table_shape& table) {
  auto parts = std::vector<std::string>{};
  for (const auto& column : table.columns) {
    const auto length = "coalesce(length(" + column.name + "), 0)";
    if (column.kind == column_kind::text)
      parts.push_back(std::to_string(letter_bytes_max) + " * " + length);
    if (column.kind == column_kind::bytes)
      parts.push_back(length);
  }
  if (parts.empty())
    return {};
  parts.push_back(std::to_string(value_bytes * static_cast<std::int64_t>(table.columns.size())));
  return joined(parts, " + ");
}

/// Returns what is wrong with a value; "" when it fits.
std::string misfit(const table_column& column, const sql_value& value) {
  const auto& content = value.content();
  const auto* text = std::get_if<std::string>(&content);
  if (text && !is_storable(*text))
    return "text that is not UTF-8 without NUL";
  const auto fits =
      value.is_null() || (column.kind == column_kind::text && text) ||
      (column.kind == column_kind::number && std::holds_alternative<std::int64_t>(content)) ||
      (column.kind == column_kind::bytes && std::holds_alternative<blob>(content));
  return fits ? "" : "a value of another type";
}

caf::error check_row(const table_shape& table, const sql_row& row) {
  for (auto place = std::size_t{0}; place < row.size(); ++place)
    if (const auto wrong = misfit(table.columns[place], row[place]); !wrong.empty())
      return make_error(errc::conflict, "table " + table.name + ": column " +
                                            table.columns[place].name + " holds " + wrong);
  return {};
}

caf::error insert_at_once(database& db, const table_shape& table, std::span<const sql_row> rows) {
  const auto width = table.columns.size();
  auto tuples = std::vector<std::string>{};
  auto values = std::vector<sql_value>{};
  for (const auto& row : rows) {
    if (auto failure = check_row(table, row))
      return failure;
    tuples.push_back("(" + parameters(values.size() + 1, width) + ")");
    values.insert(values.end(), row.begin(), row.end());
  }
  auto done = db.run("INSERT INTO " + table.name + "(" + columns_of(table) + ") VALUES " +
                         joined(tuples, ", "),
                     values);
  return done ? caf::error{} : std::move(done.error());
}

} // namespace

table_reader::table_reader(const catalogued_database& from, const table_shape& table,
                           const chunk_limits& limits)
    : db_{from.db}, table_{table}, limits_{limits}, columns_{columns_of(table)},
      key_columns_{key_columns_of(table, from.dialect.by_bytes)}, size_{size_of(table)} {}

caf::expected<std::vector<sql_row>> table_reader::read_after(const sql_row& key) const {
  const auto limit = rows_that_fit(key);
  if (!limit)
    return limit.error();
  return *limit == 0 ? std::vector<sql_row>{} : select(columns_, key, *limit);
}

/// Asks for the sizes first: what is too large must not be read to be found too large.
caf::expected<std::int64_t> table_reader::rows_that_fit(const sql_row& key) const {
  if (size_.empty())
    return limits_.rows_max;
  const auto sizes = select(size_, key, limits_.rows_max);
  if (!sizes)
    return sizes.error();
  auto rows = std::int64_t{0};
  auto bytes = std::int64_t{0};
  for (const auto& size : *sizes) {
    bytes += size[0].integer();
    if (rows > 0 && bytes > limits_.bytes_max)
      return rows;
    ++rows;
  }
  return rows;
}

caf::expected<std::vector<sql_row>>
table_reader::select(const std::string& what, const sql_row& key, std::int64_t limit) const {
  auto values = key;
  values.emplace_back(limit);
  auto sql = "SELECT " + what + " FROM " + table_.name;
  if (!key.empty())
    sql += " WHERE (" + key_columns_ + ") > (" + parameters(1, key.size()) + ")";
  sql += " ORDER BY " + key_columns_ + " LIMIT " + parameters(values.size(), 1);
  auto found = db_.run(sql, values);
  if (!found)
    return std::move(found.error());
  return std::move(found->rows);
}

sql_row key_of(const table_shape& table, const sql_row& row) {
  auto key = sql_row{};
  for (const auto place : table.key)
    key.push_back(row[place]);
  return key;
}

caf::expected<std::int64_t> count_rows(database& db, const table_shape& table) {
  const auto counted = db.run("SELECT count(*) FROM " + table.name);
  if (!counted)
    return counted.error();
  return counted->rows[0][0].integer();
}

caf::error insert_rows(database& db, const table_shape& table, std::span<const sql_row> rows) {
  const auto at_once = std::max(std::size_t{1}, parameters_at_once / table.columns.size());
  while (!rows.empty()) {
    const auto count = std::min(at_once, rows.size());
    if (auto failure = insert_at_once(db, table, rows.first(count)))
      return failure;
    rows = rows.subspan(count);
  }
  return {};
}

caf::error clear_table(database& db, const table_shape& table) {
  auto done = db.run("DELETE FROM " + table.name);
  return done ? caf::error{} : std::move(done.error());
}

} // namespace trunkline
