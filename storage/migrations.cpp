#include "storage/migrations.hpp"

#include "storage/schema_v1.hpp"
#include "storage/schema_v2.hpp"
#include "storage/schema_v3.hpp"
#include "storage/schema_v4.hpp"
#include "storage/schema_v5.hpp"
#include "storage/schema_v6.hpp"

#include <string>

namespace trunkline {

namespace {

struct migration {
  std::int64_t version;
  std::span<const std::string_view> statements;
};

const auto migrations = std::to_array<migration>({
    {1, schema_v1},
    {2, schema_v2},
    {3, schema_v3},
    {4, schema_v4},
    {5, schema_v5},
    {6, schema_v6},
});

std::string in_dialect(std::string_view statement, std::string_view key_type) {
  constexpr auto mark = std::string_view{"{key}"};
  auto text = std::string{statement};
  if (const auto at = text.find(mark); at != std::string::npos)
    text.replace(at, mark.size(), key_type);
  return text;
}

caf::error apply(database& db, const migration& step) {
  for (const auto statement : step.statements)
    if (auto done = db.run(in_dialect(statement, db.key_type())); !done)
      return std::move(done.error());
  auto noted = db.run("UPDATE schema_version SET version = $1", {step.version});
  return noted ? caf::error{} : std::move(noted.error());
}

caf::expected<std::int64_t> stored_version(database& db) {
  auto rows = db.run("SELECT version FROM schema_version");
  if (!rows)
    return std::move(rows.error());
  return rows->rows.empty() ? 0 : rows->rows[0][0].integer();
}

caf::error prepare(database& db) {
  if (auto made = db.run("CREATE TABLE IF NOT EXISTS schema_version("
                         "one BIGINT PRIMARY KEY, version BIGINT NOT NULL)");
      !made)
    return std::move(made.error());
  auto first =
      db.run("INSERT INTO schema_version(one, version) VALUES (1, 0) ON CONFLICT DO NOTHING");
  return first ? caf::error{} : std::move(first.error());
}

/// Of two processes that make the first table at once PostgreSQL refuses one as double, IF NOT
/// EXISTS or not; then it is there.
caf::error prepare_with_others(database& db) {
  auto failure = db.transact(prepare);
  return failure && code_of(failure) == errc::unique_violation ? db.transact(prepare) : failure;
}

caf::error apply_if_new(database& db, const migration& step) {
  // The update takes the row's lock, so that of two processes one waits and then finds it done.
  if (auto locked = db.run("UPDATE schema_version SET version = version"); !locked)
    return std::move(locked.error());
  const auto version = stored_version(db);
  if (!version)
    return version.error();
  return *version < step.version ? apply(db, step) : caf::error{};
}

} // namespace

std::int64_t schema_version() {
  return migrations.back().version;
}

caf::error migrate(database& db) {
  if (auto failure = prepare_with_others(db))
    return failure;
  const auto version = stored_version(db);
  if (!version)
    return version.error();
  if (*version > schema_version())
    return make_error(errc::storage_refused,
                      "database: schema " + std::to_string(*version) +
                          " was made by a newer trunkline; this one knows up to " +
                          std::to_string(schema_version()));
  if (*version == schema_version())
    return {}; // not even a lock is taken of it
  for (const auto& step : migrations)
    if (auto failure = db.transact([&](database& open) { return apply_if_new(open, step); }))
      return failure;
  return {};
}

} // namespace trunkline
