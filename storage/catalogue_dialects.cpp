#include "storage/catalogue_dialects.hpp"

namespace trunkline {

const catalogue_dialect& sqlite_catalogue() {
  static constexpr auto dialect = catalogue_dialect{
      .columns_sql = "SELECT t.name, c.name, lower(c.type), c.pk FROM sqlite_schema t"
                     " JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
                     " AND substr(t.name, 1, 7) <> 'sqlite_' ORDER BY t.name, c.cid",
      .by_bytes = ""};
  return dialect;
}

const catalogue_dialect& postgres_catalogue() {
  // Text compares as the locale of the database says, unless it is told otherwise.
  static constexpr auto dialect = catalogue_dialect{
      .columns_sql = "SELECT t.relname::text, c.attname::text, format_type(c.atttypid, NULL),"
                     " coalesce(array_position(k.conkey, c.attnum), 0) FROM pg_class t"
                     " JOIN pg_namespace n ON n.oid = t.relnamespace"
                     " AND n.nspname = current_schema()"
                     " JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0"
                     " AND NOT c.attisdropped"
                     " LEFT JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'p'"
                     " WHERE t.relkind IN ('r', 'p') ORDER BY t.relname::text COLLATE \"C\","
                     " c.attnum",
      .by_bytes = " COLLATE \"C\""};
  return dialect;
}

caf::expected<std::string> place_of_postgres(database& db) {
  const auto found = db.run("SELECT current_database()::text, host(inet_server_addr()),"
                            " coalesce(inet_server_port(), 0)");
  if (!found)
    return found.error();
  const auto& row = found->rows[0];
  const auto where = row[1].is_null()
                         ? std::string{" on this machine"}
                         : " at " + row[1].text() + ":" + std::to_string(row[2].integer());
  return "the PostgreSQL database \"" + row[0].text() + "\"" + where;
}

} // namespace trunkline
