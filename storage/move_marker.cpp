#include "storage/move_marker.hpp"

#include <algorithm>

namespace trunkline {

namespace {

constexpr auto marker_table = std::string_view{"move_in"};
constexpr auto progress_table = std::string_view{"move_in_table"};

/// Fails when there are other tables than those of the move.
caf::error check_alone(const catalogued_database& in) {
  const auto names = table_names(in);
  if (!names)
    return names.error();
  const auto other = std::find_if_not(names->begin(), names->end(), is_move_table);
  return other == names->end()
             ? caf::error{}
             : make_error(errc::conflict, "database: somebody made the table " + *other +
                                              " when the move into it began");
}

} // namespace

bool is_move_table(std::string_view table) {
  return table == marker_table || table == progress_table;
}

caf::expected<std::optional<move_marker>> find_move_marker(const catalogued_database& in) {
  const auto names = table_names(in);
  if (!names)
    return names.error();
  if (std::find(names->begin(), names->end(), marker_table) == names->end())
    return std::optional<move_marker>{};
  const auto found = in.db.run("SELECT id, complete, schema_version FROM move_in");
  if (!found)
    return found.error();
  if (found->rows.empty())
    return std::optional<move_marker>{};
  const auto& row = found->rows[0];
  return std::optional{
      move_marker{.id = row[0].text(), .is_complete = row[1].flag(), .schema = row[2].integer()}};
}

caf::error check_move_is_complete(const catalogued_database& in) {
  const auto marker = find_move_marker(in);
  if (!marker)
    return marker.error();
  if (!*marker || (*marker)->is_complete)
    return {};
  return make_error(errc::config_invalid,
                    "database: a move into it has begun and is not complete: run `trunkline migrate"
                    " sqlite-to-postgres` again to finish it, or drop the database to give it up");
}

caf::error create_move_marker(const catalogued_database& in, std::string_view id) {
  return in.db.transact([&](database& open) -> caf::error {
    if (auto made = open.run("CREATE TABLE move_in(one BIGINT PRIMARY KEY, id TEXT NOT NULL,"
                             " complete BIGINT NOT NULL, schema_version BIGINT NOT NULL)");
        !made)
      return std::move(made.error());
    if (auto made = open.run("CREATE TABLE move_in_table(name TEXT PRIMARY KEY, last_key BYTEA NOT"
                             " NULL, copied BIGINT NOT NULL, digest BYTEA NOT NULL)");
        !made)
      return std::move(made.error());
    if (auto refused = check_alone({open, in.dialect}))
      return refused;
    return error_of(open.run("INSERT INTO move_in(one, id, complete, schema_version)"
                             " VALUES (1, $1, 0, 0)",
                             {id}));
  });
}

caf::error reset_progress(database& db, std::span<const table_shape> tables, std::int64_t schema) {
  if (auto cleared = db.run("DELETE FROM move_in_table"); !cleared)
    return std::move(cleared.error());
  for (const auto& table : tables)
    if (auto begun = db.run("INSERT INTO move_in_table(name, last_key, copied, digest)"
                            " VALUES ($1, $2, 0, $2)",
                            {table.name, blob{}});
        !begun)
      return std::move(begun.error());
  return error_of(db.run("UPDATE move_in SET schema_version = $1", {schema}));
}

caf::expected<table_progress> read_progress(database& db, const std::string& table) {
  const auto found =
      db.run("SELECT last_key, copied, digest FROM move_in_table WHERE name = $1", {table});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return make_error(errc::storage_refused, "table " + table + ": its move was never begun");
  const auto& row = found->rows[0];
  auto key = decode_row(row[0].bytes());
  if (!key)
    return std::move(key.error());
  return table_progress{
      .last_key = std::move(*key), .rows = row[1].integer(), .digest = row_digest{row[2].bytes()}};
}

caf::error advance_progress(database& db, const std::string& table, const progress_step& step) {
  const auto& after = step.after;
  const auto done = db.run("UPDATE move_in_table SET last_key = $2, copied = $3, digest = $4"
                           " WHERE name = $1 AND copied = $5",
                           {table, blob{encode_row(after.last_key)}, after.rows,
                            blob{after.digest.bytes()}, step.rows_before});
  if (!done)
    return done.error();
  if (done->rows_written == 1)
    return {};
  return make_error(errc::conflict, "table " + table +
                                        ": another process copies into this database as well:"
                                        " let only one of them run");
}

caf::error complete_move_marker(database& db) {
  return db.transact([](database& open) -> caf::error {
    if (auto marked = open.run("UPDATE move_in SET complete = 1"); !marked)
      return std::move(marked.error());
    return error_of(open.run("DROP TABLE move_in_table"));
  });
}

} // namespace trunkline
