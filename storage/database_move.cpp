#include "storage/database_move.hpp"

#include "protocol/crypto.hpp"
#include "storage/migrations.hpp"
#include "storage/move_marker.hpp"

#include <algorithm>

namespace trunkline {

namespace {

/// The one table that is not copied: the migrations of the target write it. It is compared.
constexpr auto version_table = std::string_view{"schema_version"};

constexpr std::size_t digest_letters = 16; // in messages

caf::expected<std::vector<table_shape>> own_tables(const catalogued_database& in) {
  auto tables = read_catalogue(in);
  if (tables)
    std::erase_if(*tables, [](const table_shape& table) { return is_move_table(table.name); });
  return tables;
}

caf::error conflict(const table_shape& table, const std::string& why) {
  return make_error(errc::conflict, "table " + table.name + ": " + why);
}

std::vector<table_shape> copied_ones(std::vector<table_shape> tables) {
  std::erase_if(tables, [](const table_shape& table) { return table.name == version_table; });
  return tables;
}

/// Empties the tables of what the migrations wrote, or a program with another schema, once.
caf::error prepare_tables(database& target, const std::vector<table_shape>& tables) {
  const auto copied = copied_ones(tables);
  return target.transact([&](database& open) -> caf::error {
    for (const auto& table : copied)
      if (auto failure = clear_table(open, table))
        return failure;
    return reset_progress(open, copied, schema_version());
  });
}

caf::error prepare_target(const database_move& move) {
  const auto stage = stage_of_move(move.target, move.id);
  if (!stage)
    return stage.error();
  if (*stage == move_stage::complete)
    return make_error(errc::conflict, "database: the move into it is complete already");
  if (*stage == move_stage::not_begun)
    if (auto failure = create_move_marker(move.target, move.id))
      return failure;
  return migrate(move.target.db);
}

/// Returns the tables of both, which must be the same.
caf::expected<std::vector<table_shape>> common_tables(const database_move& move) {
  auto tables = own_tables(move.source);
  if (!tables)
    return tables;
  const auto others = own_tables(move.target);
  if (!others)
    return others.error();
  for (const auto& table : *tables)
    if (std::find(others->begin(), others->end(), table) == others->end())
      return conflict(table, "is not the same on both sides");
  if (others->size() != tables->size())
    return make_error(errc::conflict, "database: it has tables that nothing is moved into");
  return tables;
}

table_progress after_rows(table_progress progress, const table_shape& table,
                          const std::vector<sql_row>& rows) {
  for (const auto& row : rows)
    progress.digest.add(row);
  progress.rows += static_cast<std::int64_t>(rows.size());
  progress.last_key = key_of(table, rows.back());
  return progress;
}

caf::error copy_table(const database_move& move, const table_shape& table) {
  const auto reader = table_reader{move.source, table, move.limits};
  auto progress = read_progress(move.target.db, table.name);
  while (progress) {
    const auto rows = reader.read_after(progress->last_key);
    if (!rows)
      return rows.error();
    if (rows->empty())
      return {};
    const auto step =
        progress_step{.rows_before = progress->rows, .after = after_rows(*progress, table, *rows)};
    auto failure = move.target.db.transact([&](database& open) -> caf::error {
      if (auto refused = advance_progress(open, table.name, step))
        return refused;
      return insert_rows(open, table, *rows);
    });
    if (failure)
      return failure;
    progress = step.after;
  }
  return progress.error();
}

/// Reads the whole table. What is counted without reading must agree, or the order of the keys is
/// not what the chunks went by.
caf::expected<moved_table> sum_of(const catalogued_database& in, const table_shape& table,
                                  const chunk_limits& limits) {
  const auto reader = table_reader{in, table, limits};
  auto all = table_progress{};
  while (true) {
    const auto rows = reader.read_after(all.last_key);
    if (!rows)
      return rows.error();
    if (rows->empty())
      break;
    all = after_rows(std::move(all), table, *rows);
  }
  const auto counted = count_rows(in.db, table);
  if (!counted)
    return counted.error();
  if (*counted != all.rows)
    return conflict(table, std::to_string(*counted) + " rows are counted and " +
                               std::to_string(all.rows) + " read");
  return moved_table{.name = table.name, .rows = all.rows, .digest = all.digest.bytes()};
}

/// In a transaction, which lifts the timeouts of the role: counting a large table takes long.
caf::expected<moved_table> sum_in_target(const database_move& move, const table_shape& table) {
  auto sum = moved_table{};
  const auto failure = move.target.db.transact([&](database& open) -> caf::error {
    auto found = sum_of({open, move.target.dialect}, table, move.limits);
    if (found)
      sum = std::move(*found);
    return found ? caf::error{} : std::move(found.error());
  });
  if (failure)
    return failure;
  return sum;
}

std::string described(const moved_table& table) {
  const auto digest = to_hex(table.digest).substr(0, digest_letters);
  return std::to_string(table.rows) + " rows" + (digest.empty() ? "" : " (" + digest + ")");
}

/// `first` are the rows that were read, `second` what they are compared to.
caf::error compare(const table_shape& table, const moved_table& first, const moved_table& second,
                   const std::string& where) {
  if (first.rows == second.rows && first.digest == second.digest)
    return {};
  return conflict(table, described(first) + " in the folder, " + described(second) + " " + where +
                             ": drop the database that is moved into, make it again and start"
                             " over");
}

caf::expected<moved_table> compare_table(const database_move& move, const table_shape& table) {
  auto ours = sum_of(move.source, table, move.limits);
  if (!ours)
    return ours;
  if (table.name != version_table) {
    const auto copied = read_progress(move.target.db, table.name);
    if (!copied)
      return copied.error();
    if (auto differs =
            compare(table, *ours,
                    {.name = table.name, .rows = copied->rows, .digest = copied->digest.bytes()},
                    "when they were copied"))
      return differs;
  }
  const auto theirs = sum_in_target(move, table);
  if (!theirs)
    return theirs.error();
  if (auto differs = compare(table, *ours, *theirs, "in the other database"))
    return differs;
  return ours;
}

} // namespace

caf::expected<move_stage> stage_of_move(const catalogued_database& target, std::string_view id) {
  const auto names = table_names(target);
  if (!names)
    return names.error();
  if (names->empty())
    return move_stage::not_begun;
  const auto marker = find_move_marker(target);
  if (!marker)
    return marker.error();
  if (*marker && (*marker)->id == id)
    return (*marker)->is_complete ? move_stage::complete : move_stage::unfinished;
  const auto what = *marker ? "another folder was moved into it, or began to be"
                            : "it has the table " + names->front();
  return make_error(errc::conflict,
                    "database: is not empty (" + what + "): make a new one for the move");
}

caf::expected<std::vector<moved_table>> count_tables(const catalogued_database& source) {
  const auto tables = own_tables(source);
  if (!tables)
    return tables.error();
  auto counted = std::vector<moved_table>{};
  for (const auto& table : *tables) {
    const auto rows = count_rows(source.db, table);
    if (!rows)
      return rows.error();
    counted.push_back({.name = table.name, .rows = *rows, .digest = {}});
  }
  return counted;
}

caf::error copy_and_compare(const database_move& move,
                            const std::function<void(const moved_table&)>& on_table) {
  if (auto failure = prepare_target(move))
    return failure;
  const auto tables = common_tables(move);
  if (!tables)
    return tables.error();
  const auto marker = find_move_marker(move.target);
  if (!marker)
    return marker.error();
  if (!*marker || (*marker)->schema != schema_version())
    if (auto failure = prepare_tables(move.target.db, *tables))
      return failure;
  for (const auto& table : copied_ones(*tables))
    if (auto failure = copy_table(move, table))
      return failure;
  for (const auto& table : *tables) {
    const auto same = compare_table(move, table);
    if (!same)
      return same.error();
    on_table(*same);
  }
  return {};
}

caf::error complete_move(const catalogued_database& target) {
  return complete_move_marker(target.db);
}

} // namespace trunkline
