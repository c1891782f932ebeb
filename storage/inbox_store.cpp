#include "storage/inbox_store.hpp"

#include "protocol/crypto.hpp"
#include "storage/sql_list.hpp"

namespace trunkline {

namespace {

constexpr std::size_t undo_hash_bytes = 16;

blob undo_hash(std::string_view what) {
  return {sha256(what).substr(0, undo_hash_bytes)};
}

caf::expected<std::optional<arrival>> first_arrival(caf::expected<sql_result> found) {
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<arrival>{};
  const auto& row = found->rows[0];
  return std::optional{arrival{.id = row[0].integer(),
                               .actor = row[1].text(),
                               .ap_id = row[2].text(),
                               .host = row[3].text(),
                               .body = row[4].bytes(),
                               .at = row[5].time()}};
}

caf::expected<std::int64_t> written(caf::expected<sql_result> result) {
  if (!result)
    return std::move(result.error());
  return result->rows_written;
}

} // namespace

std::string hash_id(std::string_view body) {
  return "sha256:" + to_hex(sha256(body));
}

caf::expected<bool> add_arrival(database& db, const arrival& row) {
  const auto added = written(db.run(
      "INSERT INTO inbox_log(id, actor, ap_id, host, body, at) VALUES ($1, $2, $3, $4, $5, $6)"
      " ON CONFLICT (actor, ap_id) DO NOTHING",
      {row.id, row.actor, row.ap_id, row.host, blob{row.body}, row.at}));
  if (!added)
    return added.error();
  return *added > 0;
}

caf::expected<std::optional<arrival>> next_arrival(database& db, const std::string& host,
                                                   std::span<const std::int64_t> besides) {
  auto values = std::vector<sql_value>{host};
  append_ids(values, besides);
  const auto left_out =
      besides.empty() ? std::string{} : " AND id NOT IN (" + parameters(2, besides.size()) + ")";
  return first_arrival(db.run("SELECT id, actor, ap_id, host, body, at FROM inbox_log"
                              " WHERE host = $1 AND done = 0" +
                                  left_out + " ORDER BY id LIMIT 1",
                              values));
}

caf::expected<std::int64_t> count_open_arrivals(database& db, const std::string& host,
                                                std::int64_t most) {
  auto found = db.run("SELECT COUNT(*) FROM (SELECT id FROM inbox_log WHERE host = $1"
                      " AND done = 0 LIMIT $2) AS waiting",
                      {host, most});
  if (!found)
    return std::move(found.error());
  return found->rows[0][0].integer();
}

caf::expected<std::vector<std::string>> hosts_with_arrivals(database& db, const std::string& after,
                                                            std::size_t limit) {
  auto found = db.run("SELECT DISTINCT host FROM inbox_log WHERE done = 0 AND host > $1"
                      " ORDER BY host LIMIT $2",
                      {after, static_cast<std::int64_t>(limit)});
  if (!found)
    return std::move(found.error());
  auto hosts = std::vector<std::string>{};
  for (const auto& row : found->rows)
    hosts.push_back(row[0].text());
  return hosts;
}

caf::expected<bool> end_arrival(database& db, std::int64_t id, arrival_end how) {
  const auto ended = written(db.run("UPDATE inbox_log SET done = $2 WHERE id = $1 AND done = 0",
                                    {id, static_cast<std::int64_t>(how)}));
  if (!ended)
    return ended.error();
  return *ended > 0;
}

caf::expected<std::optional<arrival>> find_arrival(database& db, const std::string& actor,
                                                   const std::string& ap_id) {
  return first_arrival(db.run("SELECT id, actor, ap_id, host, body, at FROM inbox_log"
                              " WHERE actor = $1 AND ap_id = $2",
                              {actor, ap_id}));
}

caf::expected<std::int64_t> purge_arrivals(database& db, time_point before, std::size_t limit) {
  return written(db.run("DELETE FROM inbox_log WHERE id IN (SELECT id FROM inbox_log"
                        " WHERE at < $1 AND done <> 0 ORDER BY at LIMIT $2)",
                        {before, static_cast<std::int64_t>(limit)}));
}

caf::error remember_undo(database& db, std::string_view what, time_point now) {
  auto added = db.run("INSERT INTO early_undo(hash, at) VALUES ($1, $2) ON CONFLICT (hash)"
                      " DO UPDATE SET at = excluded.at",
                      {undo_hash(what), now});
  return added ? caf::error{} : std::move(added.error());
}

caf::expected<bool> take_undo(database& db, std::string_view what, time_point now) {
  auto taken = db.run("DELETE FROM early_undo WHERE hash = $1 RETURNING at", {undo_hash(what)});
  if (!taken)
    return std::move(taken.error());
  return !taken->rows.empty() && taken->rows[0][0].time() > now - early_undo_kept;
}

caf::expected<std::int64_t> purge_undos(database& db, time_point now, std::size_t limit) {
  return written(db.run("DELETE FROM early_undo WHERE hash IN (SELECT hash FROM early_undo"
                        " WHERE at < $1 ORDER BY at LIMIT $2)",
                        {now - early_undo_kept, static_cast<std::int64_t>(limit)}));
}

} // namespace trunkline
