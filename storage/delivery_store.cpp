#include "storage/delivery_store.hpp"

#include "storage/host_store.hpp"
#include "storage/sql_list.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr auto kind_of_hosts = static_cast<int>(actor_kind::host);
constexpr std::size_t rows_per_statement = 64; // written

caf::expected<std::vector<unit_key>> acked_of(const sql_value& column, std::string_view table) {
  auto units = decode_units(column.bytes());
  if (!units)
    return make_error(errc::storage_broken, std::string{table} + ".acked: damaged");
  return units;
}

std::string value_rows(std::size_t rows, std::size_t columns) {
  auto text = std::string{}; // "($1, $2), ($3, $4)"
  for (auto row = std::size_t{0}; row < rows; ++row)
    text += (row ? ", (" : "(") + parameters(row * columns + 1, columns) + ")";
  return text;
}

caf::error save_marks(database& db, std::span<const shard_mark> marks) {
  for (; !marks.empty(); marks = marks.subspan(std::min(marks.size(), rows_per_statement))) {
    const auto chunk = marks.first(std::min(marks.size(), rows_per_statement));
    auto values = std::vector<sql_value>{};
    for (const auto& mark : chunk) {
      values.emplace_back(kind_of_hosts);
      values.emplace_back(int{mark.shard});
      values.emplace_back(static_cast<int>(mark.cls));
      values.emplace_back(mark.seq);
      values.emplace_back(blob{encode_units(mark.acked)});
      values.emplace_back(blob{encode_sums(mark.sums)});
    }
    if (auto failure = error_of(
            db.run("INSERT INTO shard_mark(kind, shard, class, seq, acked, sums) VALUES " +
                       value_rows(chunk.size(), 6) +
                       " ON CONFLICT (kind, shard, class) DO UPDATE SET seq = excluded.seq,"
                       " acked = excluded.acked, sums = excluded.sums",
                   values)))
      return failure;
  }
  return {};
}

caf::error save_backlog(database& db, const host_backlog& row) {
  return error_of(
      db.run("INSERT INTO host_backlog(host_id, class, behind_from, acked, count, counted_to,"
             " bytes, oldest_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)"
             " ON CONFLICT (host_id, class) DO UPDATE SET behind_from = excluded.behind_from,"
             " acked = excluded.acked, count = excluded.count, counted_to = excluded.counted_to,"
             " oldest_at = excluded.oldest_at",
             {row.host, static_cast<int>(row.cls), row.behind_from, blob{encode_units(row.acked)},
              row.count, row.counted_to, row.oldest_at}));
}

caf::error save_exception(database& db, const exception_change& change) {
  const auto& unit = change.unit;
  const auto& row = change.row;
  if (!row)
    return error_of(db.run("DELETE FROM delivery_exception WHERE endpoint_id = $1 AND seq = $2",
                           {unit.endpoint, unit.seq}));
  return error_of(
      db.run("INSERT INTO delivery_exception(host_id, endpoint_id, seq, object_key, status, error,"
             " attempts, next_try_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
             " ON CONFLICT (endpoint_id, seq) DO UPDATE SET status = excluded.status,"
             " error = excluded.error, attempts = excluded.attempts,"
             " next_try_at = excluded.next_try_at",
             {change.host, unit.endpoint, unit.seq, to_string(row->object),
              static_cast<int>(row->status), row->error, row->attempts, row->next_try_at}));
}

} // namespace

caf::expected<stored_books> load_books(database& db, const shard_set& wanted) {
  auto books = stored_books{};
  auto marks = db.run("SELECT shard, class, seq, acked, sums FROM shard_mark WHERE kind = $1",
                      {kind_of_hosts});
  if (!marks)
    return std::move(marks.error());
  for (const auto& row : marks->rows) {
    if (!wanted[static_cast<std::uint8_t>(row[0].integer())])
      continue;
    auto acked = acked_of(row[3], "shard_mark");
    if (!acked)
      return std::move(acked.error());
    auto sums = row[4].is_null() ? mark_sums{} : decode_sums(row[4].bytes());
    if (!sums)
      return make_error(errc::storage_broken, "shard_mark.sums: damaged");
    books.marks.push_back({static_cast<std::uint8_t>(row[0].integer()),
                           static_cast<delivery_class>(row[1].integer()), row[2].integer(),
                           std::move(*acked), std::move(*sums)});
  }
  auto backlogs = db.run("SELECT b.host_id, b.class, b.behind_from, b.acked, b.count, b.counted_to,"
                         " b.oldest_at, h.scheme, h.name, h.port"
                         " FROM host_backlog b JOIN host h ON h.id = b.host_id");
  if (!backlogs)
    return std::move(backlogs.error());
  for (const auto& row : backlogs->rows) {
    if (!wanted[host_shard({row[7].text(), row[8].text(), row[9].integer()})])
      continue;
    auto acked = acked_of(row[3], "host_backlog");
    if (!acked)
      return std::move(acked.error());
    books.backlogs.push_back({.host = row[0].id<host_id>(),
                              .cls = static_cast<delivery_class>(row[1].integer()),
                              .behind_from = row[2].integer(),
                              .acked = std::move(*acked),
                              .count = row[4].integer(),
                              .counted_to = row[5].integer(),
                              .oldest_at = row[6].time()});
  }
  return books;
}

caf::error save_checkpoint(database& db, const checkpoint& changes) {
  if (auto failure = save_marks(db, changes.marks))
    return failure;
  for (const auto& row : changes.backlogs)
    if (auto failure = save_backlog(db, row))
      return failure;
  for (const auto& [host, cls] : changes.caught_up)
    if (auto failure = error_of(db.run("DELETE FROM host_backlog WHERE host_id = $1 AND class = $2",
                                       {host, static_cast<int>(cls)})))
      return failure;
  for (const auto& change : changes.exceptions)
    if (auto failure = save_exception(db, change))
      return failure;
  for (const auto& facts : changes.facts)
    if (auto failure = save_host(db, facts))
      return failure;
  return {};
}

caf::expected<deliverable_rows> read_deliverable(database& db, log_seq after, std::size_t limit) {
  auto newest = db.run("SELECT coalesce(max(seq), 0) FROM log");
  if (!newest)
    return std::move(newest.error());
  auto result = deliverable_rows{.rows = {}, .upto = newest->rows[0][0].integer()};
  auto found =
      db.run("SELECT l.seq, l.at, l.kind, l.author, l.object_key, l.class, l.public, l.audience_id"
             " FROM log l WHERE l.seq > $1 AND l.seq <= $2 AND (l.audience_id <> 0 OR EXISTS"
             " (SELECT 1 FROM log_extra x WHERE x.seq = l.seq)) ORDER BY l.seq LIMIT $3",
             {after, result.upto, static_cast<std::int64_t>(limit)});
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows) {
    auto key = parse_object_key(row[4].text());
    if (!key)
      return make_error(errc::storage_broken,
                        "log " + std::to_string(row[0].integer()) + ": object_key is damaged");
    result.rows.push_back({.seq = row[0].integer(),
                           .at = row[1].time(),
                           .kind = static_cast<log_kind>(row[2].integer()),
                           .author = row[3].id<account_id>(),
                           .object = *key,
                           .cls = static_cast<delivery_class>(row[5].integer()),
                           .is_public = row[6].flag(),
                           .audience = row[7].id<audience_id>()});
  }
  if (result.rows.size() == limit)
    result.upto = result.rows.back().seq;
  if (result.rows.empty())
    return result;
  auto extra = db.run("SELECT seq, endpoint_id FROM log_extra WHERE seq >= $1 AND seq <= $2"
                      " ORDER BY seq, endpoint_id",
                      {result.rows.front().seq, result.rows.back().seq});
  if (!extra)
    return std::move(extra.error());
  auto entry = result.rows.begin();
  for (const auto& row : extra->rows) {
    while (entry->seq < row[0].integer())
      ++entry;
    entry->extra.push_back(row[1].id<endpoint_id>());
  }
  return result;
}

caf::expected<std::vector<endpoint_id>> present_endpoints(database& db, account_id author) {
  auto found = db.run("SELECT endpoint_id FROM follower_endpoint WHERE author = $1 AND n > 0"
                      " ORDER BY endpoint_id",
                      {author});
  if (!found)
    return std::move(found.error());
  auto endpoints = std::vector<endpoint_id>{};
  for (const auto& row : found->rows)
    endpoints.push_back(row[0].id<endpoint_id>());
  return endpoints;
}

caf::expected<outgoing_activity> read_outgoing(database& db, log_seq seq) {
  auto found = db.run("SELECT body, sha256, signer, author FROM log WHERE seq = $1", {seq});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return make_error(errc::not_found, "log " + std::to_string(seq) + ": the row is gone");
  const auto& row = found->rows[0];
  auto activity = outgoing_activity{.sha256 = row[1].bytes(),
                                    .signer = row[row[2].is_null() ? 3 : 2].id<account_id>()};
  if (!row[0].is_null())
    activity.body = std::make_shared<const std::string>(row[0].bytes());
  return activity;
}

caf::expected<std::int64_t> count_dead_letters(database& db, host_id host) {
  auto found =
      db.run("SELECT count(*) FROM delivery_exception WHERE host_id = $1 AND status = 2", {host});
  if (!found)
    return std::move(found.error());
  return found->rows[0][0].integer();
}

} // namespace trunkline
