#include "storage/table_catalogue.hpp"

#include <algorithm>
#include <optional>

namespace trunkline {

namespace {

/// Columns of a primary key; more are a bug of the catalogue's statement.
constexpr std::int64_t key_columns_max = 64;

caf::error refused(const std::string& table, const std::string& why) {
  return make_error(errc::storage_refused, "table " + table + ": " + why);
}

bool is_plain(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
  });
}

std::optional<column_kind> kind_of(std::string_view type) {
  if (type == "bigint" || type == "integer")
    return column_kind::number;
  if (type == "text")
    return column_kind::text;
  if (type == "bytea")
    return column_kind::bytes;
  return std::nullopt;
}

/// Adds what one row of the catalogue says.
caf::error add_column(table_shape& table, const sql_row& row) {
  const auto& name = row[1].text();
  if (!is_plain(table.name) || !is_plain(name))
    return refused(table.name, "column " + name + " is none of ours");
  const auto kind = kind_of(row[2].text());
  if (!kind)
    return refused(table.name, "column " + name + " has the type " + row[2].text());
  const auto place = row[3].integer();
  if (place < 0 || place > key_columns_max)
    return refused(table.name, "its key cannot be read");
  if (place > 0) {
    table.key.resize(std::max(table.key.size(), static_cast<std::size_t>(place)));
    table.key[static_cast<std::size_t>(place) - 1] = table.columns.size();
  }
  table.columns.push_back({name, *kind});
  return {};
}

} // namespace

caf::expected<std::vector<std::string>> table_names(const catalogued_database& in) {
  auto found = in.db.run(in.dialect.columns_sql);
  if (!found)
    return std::move(found.error());
  auto names = std::vector<std::string>{};
  for (const auto& row : found->rows)
    if (names.empty() || names.back() != row[0].text())
      names.push_back(row[0].text());
  return names;
}

caf::expected<std::vector<table_shape>> read_catalogue(const catalogued_database& in) {
  auto found = in.db.run(in.dialect.columns_sql);
  if (!found)
    return std::move(found.error());
  auto tables = std::vector<table_shape>{};
  for (const auto& row : found->rows) {
    if (tables.empty() || tables.back().name != row[0].text())
      tables.push_back({row[0].text(), {}, {}});
    if (auto failure = add_column(tables.back(), row))
      return failure;
  }
  for (const auto& table : tables)
    if (table.key.empty())
      return refused(table.name, "has no primary key");
  return tables;
}

} // namespace trunkline
