#include "storage/webhook_store.hpp"

#include "storage/log_store.hpp"
#include "storage/sql_list.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace trunkline {

namespace {

constexpr std::size_t rows_per_statement = 64; // written

caf::expected<std::int64_t> number(caf::expected<sql_result> found) {
  if (!found)
    return std::move(found.error());
  return found->rows.at(0)[0].integer();
}

caf::expected<std::int64_t> outbox_end(database& db) {
  return number(db.run("SELECT last_id FROM webhook_outbox_end"));
}

std::optional<std::int64_t> optional_number(const sql_value& column) {
  return column.is_null() ? std::nullopt : std::optional{column.integer()};
}

caf::expected<std::optional<webhook_marks>> find_marks(database& db, const std::string& name) {
  auto found = db.run("SELECT mark, told FROM webhook WHERE name = $1", {name});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<webhook_marks>{};
  const auto& row = found->rows[0];
  return std::optional{webhook_marks{.mark = row[0].integer(), .told = optional_number(row[1])}};
}

/// Where a webhook begins that may have been here before.
caf::expected<webhook_marks> first_marks(database& db, const webhook_entry& entry) {
  const auto before = find_marks(db, entry.name);
  if (!before)
    return before.error();
  auto marks = before->value_or(webhook_marks{});
  if (!*before) {
    const auto end = newest_seq(db);
    if (!end)
      return end.error();
    marks.mark = *end;
  }
  if (!entry.wants_outbox)
    marks.told.reset();
  if (entry.wants_outbox && !marks.told) {
    const auto end = outbox_end(db);
    if (!end)
      return end.error();
    marks.told = *end;
  }
  return marks;
}

/// Returns those of `rows` that have no row yet, each once.
caf::expected<std::vector<const outbox_row*>> new_rows(database& db,
                                                       std::span<const outbox_row> rows) {
  auto known = std::set<std::string>{};
  for (auto left = rows; !left.empty();) {
    const auto chunk = left.first(std::min(left.size(), rows_per_statement));
    left = left.subspan(chunk.size());
    auto values = std::vector<sql_value>{};
    for (const auto& row : chunk)
      values.emplace_back(row.message);
    auto found = db.run("SELECT message FROM webhook_outbox WHERE message IN (" +
                            parameters(1, chunk.size()) + ")",
                        values);
    if (!found)
      return std::move(found.error());
    for (const auto& row : found->rows)
      known.insert(row[0].text());
  }
  auto fresh = std::vector<const outbox_row*>{};
  for (const auto& row : rows)
    if (known.insert(row.message).second)
      fresh.push_back(&row);
  return fresh;
}

caf::error insert_rows(database& db, std::span<const outbox_row* const> rows, std::int64_t first) {
  constexpr std::size_t columns = 5;
  while (!rows.empty()) {
    const auto chunk = rows.first(std::min(rows.size(), rows_per_statement));
    rows = rows.subspan(chunk.size());
    auto values = std::vector<sql_value>{};
    auto places = std::string{};
    for (const auto* row : chunk) {
      places += (places.empty() ? "(" : ", (") + parameters(values.size() + 1, columns) + ")";
      values.emplace_back(first++);
      values.emplace_back(row->message);
      values.emplace_back(row->kind);
      values.emplace_back(row->at);
      values.emplace_back(blob{row->body});
    }
    if (auto failure = error_of(db.run(
            "INSERT INTO webhook_outbox(id, message, kind, at, body) VALUES " + places, values)))
      return failure;
  }
  return {};
}

} // namespace

caf::expected<webhook_marks> enter_webhook(database& db, const webhook_entry& entry,
                                           time_point now) {
  auto marks = first_marks(db, entry);
  if (!marks)
    return marks;
  if (auto failure = error_of(db.run(
          "INSERT INTO webhook(name, mark, told, present, changed_at) VALUES ($1, $2, $3, 1, $4)"
          " ON CONFLICT (name) DO UPDATE SET told = excluded.told, present = 1,"
          " changed_at = excluded.changed_at",
          {entry.name, marks->mark, marks->told, now})))
    return failure;
  return marks;
}

caf::error leave_webhooks(database& db, std::span<const std::string> present) {
  if (present.empty())
    return error_of(db.run("UPDATE webhook SET present = 0 WHERE present = 1"));
  auto values = std::vector<sql_value>{};
  for (const auto& name : present)
    values.emplace_back(name);
  return error_of(db.run("UPDATE webhook SET present = 0 WHERE present = 1 AND name NOT IN (" +
                             parameters(1, present.size()) + ")",
                         values));
}

caf::error save_webhook_marks(database& db, const std::string& name, const webhook_marks& marks,
                              time_point now) {
  return error_of(db.run("UPDATE webhook SET mark = CASE WHEN mark < $2 THEN $2 ELSE mark END,"
                         " told = CASE WHEN told < $3 THEN $3 ELSE told END, changed_at = $4"
                         " WHERE name = $1",
                         {name, marks.mark, marks.told.value_or(0), now}));
}

caf::expected<std::int64_t> log_rows_lost(database& db, log_seq mark) {
  auto first = number(db.run("SELECT coalesce(min(seq), 0) FROM log"));
  if (!first)
    return first;
  return std::max<std::int64_t>(*first - mark - 1, 0);
}

caf::expected<std::int64_t> add_to_outbox(database& db, std::span<const outbox_row> rows,
                                          std::int64_t rows_max) {
  // The update takes the row's lock: of two nodes one waits, and ids come in the order of commits.
  auto end = number(db.run("UPDATE webhook_outbox_end SET last_id = last_id RETURNING last_id"));
  if (!end)
    return end;
  const auto fresh = new_rows(db, rows);
  if (!fresh)
    return fresh.error();
  if (fresh->empty())
    return end;
  if (auto failure = insert_rows(db, *fresh, *end + 1))
    return failure;
  const auto last = *end + static_cast<std::int64_t>(fresh->size());
  if (auto failure = error_of(db.run("UPDATE webhook_outbox_end SET last_id = $1", {last})))
    return failure;
  if (auto failure =
          error_of(db.run("DELETE FROM webhook_outbox WHERE id <= $1", {last - rows_max})))
    return failure;
  return last;
}

caf::expected<outbox_page> read_outbox(database& db, std::int64_t after, std::size_t limit) {
  const auto end = outbox_end(db); // first: what is added meanwhile is for the next page
  if (!end)
    return end.error();
  auto found = db.run("SELECT id, message, kind, at, body FROM webhook_outbox"
                      " WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3",
                      {after, *end, static_cast<std::int64_t>(limit)});
  if (!found)
    return std::move(found.error());
  auto page = outbox_page{};
  for (const auto& row : found->rows)
    page.rows.push_back({.id = row[0].integer(),
                         .message = row[1].text(),
                         .kind = row[2].integer(),
                         .at = row[3].time(),
                         .body = row[4].bytes()});
  page.upto = page.rows.size() < limit ? std::max(*end, after) : page.rows.back().id;
  page.lost = page.upto - after - std::ssize(page.rows);
  return page;
}

caf::expected<std::int64_t> purge_outbox(database& db, time_point before, std::size_t limit) {
  auto slowest = db.run("SELECT min(told) FROM webhook WHERE present = 1 AND told IS NOT NULL");
  if (!slowest)
    return std::move(slowest.error());
  const auto taken = optional_number(slowest->rows.at(0)[0]);
  auto end = taken ? caf::expected<std::int64_t>{*taken} : outbox_end(db);
  if (!end)
    return end;
  auto last = db.run("SELECT max(id) FROM (SELECT id, at FROM webhook_outbox ORDER BY id LIMIT $3)"
                     " AS oldest WHERE id <= $1 OR at < $2",
                     {*end, before, static_cast<std::int64_t>(limit)});
  if (!last)
    return std::move(last.error());
  if (last->rows.at(0)[0].is_null())
    return 0;
  auto removed = db.run("DELETE FROM webhook_outbox WHERE id <= $1", {last->rows[0][0]});
  if (!removed)
    return std::move(removed.error());
  return removed->rows_written;
}

} // namespace trunkline
