#include "storage/host_orders.hpp"

#include "storage/sql_list.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t keys_per_statement = 200; // asked for
constexpr std::int64_t rows_looked_at = 64;     // about one object, from the newest on

caf::error unknown_host(const std::string& name) {
  return make_error(errc::not_found, "host " + name + ": nothing was ever sent to it");
}

caf::error changed_one(caf::expected<sql_result> done, const std::string& name) {
  if (!done)
    return std::move(done.error());
  return done->rows_written == 0 ? unknown_host(name) : caf::error{};
}

/// Whose rows of the log are about the object; nothing: it is gone, and only its Delete is left.
caf::expected<std::optional<account_id>> author_about(database& db, const object_key& object) {
  if (object.kind == object_kind::account)
    return std::optional{account_id{object.target}};
  if (object.kind != object_kind::post)
    return std::optional{account_id{object.actor}};
  auto found = db.run("SELECT author FROM post WHERE id = $1", {object.target});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? std::nullopt : std::optional{found->rows[0][0].id<account_id>()};
}

stored_exception letter_of(const sql_row& row, const object_key& object) {
  auto letter = stored_exception{};
  letter.row = {.unit = {row[0].integer(), row[1].id<endpoint_id>()},
                .object = object,
                .status = exception_status::dead,
                .error = row[3].text(),
                .attempts = row[4].integer(),
                .next_try_at = std::nullopt};
  letter.unit.seq = row[0].integer();
  letter.unit.object = object;
  letter.unit.to =
      std::make_shared<const delivery_endpoint>(delivery_endpoint{.id = row[1].id<endpoint_id>(),
                                                                  .host = row[5].id<host_id>(),
                                                                  .url = row[6].text(),
                                                                  .shared = row[7].flag()});
  if (row[8].is_null())
    return letter;
  letter.unit.author = row[8].id<account_id>();
  letter.unit.cls = static_cast<delivery_class>(row[9].integer());
  letter.unit.kind = static_cast<log_kind>(row[10].integer());
  letter.unit.at = row[11].time();
  letter.is_taken_back = row[12].flag();
  return letter;
}

/// Whether a later row takes back what letter `x` is about: by log_removed and log_undone, whose
/// conditions stand here word by word, for SQLite uses a partial index only then.
constexpr auto is_taken_back_sql = std::string_view{
    "(EXISTS (SELECT 1 FROM log t WHERE t.object_key = x.object_key AND t.kind = 3"
    " AND t.seq > x.seq) OR EXISTS (SELECT 1 FROM log t WHERE t.object_key = x.object_key"
    " AND t.kind IN (5, 7, 9, 11, 13) AND t.seq > x.seq))"};

/// Adds the dead letters that `where` names.
caf::error add_letters(database& db, const std::string& where, std::vector<sql_value> values,
                       std::vector<stored_exception>& to) {
  auto found = db.run("SELECT x.seq, x.endpoint_id, x.object_key, x.error, x.attempts, e.host_id,"
                      " e.url, e.shared, l.author, l.class, l.kind, l.at, " +
                          std::string{is_taken_back_sql} +
                          " FROM delivery_exception x JOIN endpoint e ON e.id = x.endpoint_id"
                          " LEFT JOIN log l ON l.seq = x.seq"
                          " WHERE x.host_id = $1 AND x.status = 2 AND " +
                          where,
                      std::move(values));
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows) {
    const auto object = parse_object_key(row[2].text());
    if (!object)
      return make_error(errc::storage_broken, "delivery_exception: object_key is damaged");
    to.push_back(letter_of(row, *object));
  }
  return {};
}

} // namespace

caf::error pause_host_row(database& db, const host_address& address, time_point now) {
  return changed_one(
      db.run("UPDATE host SET paused = 1, next_try_at = CASE WHEN paused = 1 THEN next_try_at"
             " ELSE $4 END WHERE scheme = $1 AND name = $2 AND port = $3",
             {address.scheme, address.name, address.port, now}),
      to_name(address));
}

caf::expected<std::optional<log_seq>> resume_host_row(database& db, const host_address& address) {
  auto done = db.run("UPDATE host SET paused = 0, next_try_at = NULL, drained_upto ="
                     " CASE WHEN drained_after IS NOT NULL THEN coalesce(drained_upto,"
                     " (SELECT coalesce(max(seq), 0) FROM log)) END"
                     " WHERE scheme = $1 AND name = $2 AND port = $3 RETURNING drained_upto",
                     {address.scheme, address.name, address.port});
  if (!done)
    return std::move(done.error());
  if (done->rows.empty())
    return unknown_host(to_name(address));
  const auto& upto = done->rows[0][0];
  return upto.is_null() ? std::nullopt : std::optional{upto.integer()};
}

caf::error set_flushed(database& db, host_id host, log_seq upto) {
  return error_of(db.run("UPDATE host SET flushed_upto = $2 WHERE id = $1", {host, upto}));
}

caf::error set_drained(database& db, host_id host, std::optional<row_range> range) {
  const auto after = range ? std::optional{range->after} : std::nullopt;
  const auto upto = range ? range->upto : std::nullopt;
  return error_of(db.run("UPDATE host SET drained_after = $2, drained_upto = $3 WHERE id = $1",
                         {host, after, upto}));
}

caf::error set_bounds(database& db, host_id host, const host_bounds& bounds) {
  return error_of(db.run("UPDATE host SET limit_in_flight = $2, limit_per_s = $3 WHERE id = $1",
                         {host, bounds.in_flight, bounds.per_s}));
}

caf::expected<std::vector<stored_exception>> dead_letters(database& db, host_id host,
                                                          std::span<const unit_key> units,
                                                          unit_key after, std::size_t limit) {
  auto letters = std::vector<stored_exception>{};
  if (units.empty()) {
    if (auto failure = add_letters(
            db,
            "(x.seq > $2 OR (x.seq = $2 AND x.endpoint_id > $3))"
            " ORDER BY x.seq, x.endpoint_id LIMIT $4",
            {host, after.seq, after.endpoint, static_cast<std::int64_t>(limit)}, letters))
      return failure;
    return letters;
  }
  for (; !units.empty(); units = units.subspan(std::min(units.size(), keys_per_statement))) {
    const auto chunk = units.first(std::min(units.size(), keys_per_statement));
    auto values = std::vector<sql_value>{host};
    auto where = std::string{};
    for (const auto& unit : chunk) {
      where += where.empty() ? "((x.seq = $" : " OR (x.seq = $";
      where += std::to_string(values.size() + 1) + " AND x.endpoint_id = $" +
               std::to_string(values.size() + 2) + ")";
      values.emplace_back(unit.seq);
      values.emplace_back(unit.endpoint);
    }
    if (auto failure = add_letters(db, where + ")", std::move(values), letters))
      return failure;
  }
  std::ranges::sort(letters, {}, [](const stored_exception& each) { return each.row.unit; });
  std::erase_if(letters, [&](const stored_exception& each) { return each.row.unit <= after; });
  letters.resize(std::min(letters.size(), limit));
  return letters;
}

caf::expected<std::vector<delivery_unit>> newest_owed(database& db, host_id host,
                                                      const object_key& object) {
  auto author = author_about(db, object);
  if (!author)
    return std::move(author.error());
  auto rows = *author ? db.run("SELECT seq, class FROM log WHERE author = $1 AND object_key = $2"
                               " ORDER BY seq DESC LIMIT $3",
                               {**author, to_string(object), rows_looked_at})
                      : db.run("SELECT seq, class FROM log WHERE object_key = $1 AND kind = 3"
                               " ORDER BY seq DESC LIMIT $2",
                               {to_string(object), rows_looked_at});
  if (!rows)
    return std::move(rows.error());
  for (const auto& row : rows->rows) {
    const auto seq = row[0].integer();
    auto found = find_missed(db, {.host = host,
                                  .cls = static_cast<delivery_class>(row[1].integer()),
                                  .from = seq,
                                  .upto = seq,
                                  .sources = nullptr});
    if (!found)
      return std::move(found.error());
    if (!found->units.empty())
      return std::move(found->units);
  }
  return std::vector<delivery_unit>{};
}

caf::expected<std::optional<log_seq>> first_row_since(database& db, time_point at) {
  auto ends = db.run("SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM log");
  if (!ends)
    return std::move(ends.error());
  auto first = ends->rows[0][0].integer();
  const auto newest = ends->rows[0][1].integer();
  for (auto end = newest + 1; first < end;) {
    const auto middle = first + (end - first) / 2;
    auto row = db.run("SELECT seq, at FROM log WHERE seq >= $1 ORDER BY seq LIMIT 1", {middle});
    if (!row)
      return std::move(row.error());
    if (row->rows.empty() || row->rows[0][1].time() >= at)
      end = middle;
    else
      first = row->rows[0][0].integer() + 1;
  }
  if (first > newest)
    return std::optional<log_seq>{};
  auto row = db.run("SELECT seq FROM log WHERE seq >= $1 ORDER BY seq LIMIT 1", {first});
  if (!row)
    return std::move(row.error());
  return row->rows.empty() ? std::nullopt : std::optional{row->rows[0][0].integer()};
}

} // namespace trunkline
