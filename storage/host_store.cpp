#include "storage/host_store.hpp"

#include <utility>

namespace trunkline {

namespace {

constexpr auto facts_columns = std::string_view{
    "h.id, h.state, h.fail_streak, h.first_fail_at, h.next_try_at, h.window_size, h.paused,"
    " h.signature_scheme, h.last_ok_at, h.drained_after, h.flushed_upto, h.limit_in_flight,"
    " h.limit_per_s, h.drained_upto"};
constexpr std::size_t facts_count = 14;

std::optional<std::int64_t> optional_of(const sql_value& value) {
  return value.is_null() ? std::nullopt : std::optional{value.integer()};
}

host_facts facts_of(const sql_row& row) {
  return {.id = row[0].id<host_id>(),
          .state = host_state_of(row[1].integer()).value_or(host_state::unproven),
          .fail_streak = row[2].integer(),
          .first_fail_at = row[3].optional_time(),
          .next_try_at = row[4].optional_time(),
          .window = row[5].integer(),
          .paused = row[6].flag(),
          .drained_after = optional_of(row[9]),
          .drained_upto = optional_of(row[13]),
          .flushed_upto = row[10].integer(),
          .limit_in_flight = optional_of(row[11]),
          .limit_per_s = optional_of(row[12]),
          .scheme = static_cast<signature_scheme>(row[7].integer()),
          .last_ok_at = row[8].optional_time()};
}

host_address address_of(const sql_row& row, std::size_t at) {
  return {row[at].text(), row[at + 1].text(), row[at + 2].integer()};
}

} // namespace

caf::expected<std::optional<host_facts>> find_host(database& db, const host_address& address) {
  static const auto sql = "SELECT " + std::string{facts_columns} +
                          " FROM host h WHERE h.scheme = $1 AND h.name = $2 AND h.port = $3";
  auto found = db.run(sql, {address.scheme, address.name, address.port});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? std::nullopt : std::optional{facts_of(found->rows[0])};
}

caf::error save_host(database& db, const host_facts& facts) {
  auto done =
      db.run("UPDATE host SET state = $2, fail_streak = $3, first_fail_at = $4,"
             " next_try_at = $5, window_size = $6, signature_scheme = $7, last_ok_at = $8"
             " WHERE id = $1",
             {facts.id, static_cast<int>(facts.state), facts.fail_streak, facts.first_fail_at,
              facts.next_try_at, facts.window, static_cast<int>(facts.scheme), facts.last_ok_at});
  return done ? caf::error{} : std::move(done.error());
}

caf::error set_paused(database& db, const host_address& address, bool paused) {
  auto done = db.run("UPDATE host SET paused = $4 WHERE scheme = $1 AND name = $2 AND port = $3",
                     {address.scheme, address.name, address.port, paused});
  if (!done)
    return std::move(done.error());
  if (done->rows_written == 0)
    return make_error(errc::not_found,
                      "host " + to_name(address) + ": nothing was ever sent to it");
  return {};
}

caf::error clear_next_try(database& db, const host_address& address) {
  auto done = db.run("UPDATE host SET next_try_at = NULL WHERE scheme = $1 AND name = $2"
                     " AND port = $3",
                     {address.scheme, address.name, address.port});
  return done ? caf::error{} : std::move(done.error());
}

caf::expected<std::vector<waiting_host>> waiting_hosts(database& db, const shard_set& wanted) {
  auto found = db.run("SELECT h.id, h.scheme, h.name, h.port, h.next_try_at,"
                      " (SELECT min(e.next_try_at) FROM delivery_exception e WHERE e.host_id = h.id"
                      "   AND e.status = 1),"
                      " (SELECT count(*) FROM host_backlog b WHERE b.host_id = h.id),"
                      " (SELECT count(*) FROM delivery_exception e WHERE e.host_id = h.id"
                      "   AND e.status = 1), h.paused"
                      " FROM host h WHERE h.id IN (SELECT host_id FROM host_backlog UNION"
                      " SELECT host_id FROM delivery_exception WHERE status = 1) ORDER BY h.id");
  if (!found)
    return std::move(found.error());
  auto hosts = std::vector<waiting_host>{};
  for (const auto& row : found->rows) {
    auto address = address_of(row, 1);
    if (!wanted[host_shard(address)])
      continue;
    const auto of_host = row[4].optional_time();
    const auto only_exceptions = row[6].integer() == 0;
    hosts.push_back({.id = row[0].id<host_id>(),
                     .address = std::move(address),
                     .next_try_at = of_host || !only_exceptions ? of_host : row[5].optional_time(),
                     .exceptions = row[7].integer(),
                     .is_held = row[8].flag() || of_host});
  }
  return hosts;
}

caf::expected<std::vector<listed_host>> read_hosts(database& db, host_id after, std::size_t limit) {
  static const auto sql =
      "SELECT " + std::string{facts_columns} +
      ", h.scheme, h.name, h.port, coalesce(d.letters, 0) FROM (SELECT * FROM host WHERE id > $1"
      " ORDER BY id LIMIT $2) h LEFT JOIN (SELECT host_id, count(*) AS letters"
      " FROM delivery_exception WHERE status = 2 GROUP BY host_id) d ON d.host_id = h.id"
      " ORDER BY h.id";
  auto found = db.run(sql, {after, static_cast<std::int64_t>(limit)});
  if (!found)
    return std::move(found.error());
  auto hosts = std::vector<listed_host>{};
  hosts.reserve(found->rows.size());
  for (const auto& row : found->rows)
    hosts.push_back({.address = address_of(row, facts_count),
                     .facts = facts_of(row),
                     .dead_letters = row[facts_count + 3].integer()});
  return hosts;
}

caf::expected<std::vector<drained_host>> drained_hosts(database& db, const shard_set& wanted) {
  auto found = db.run("SELECT id, drained_after, scheme, name, port FROM host"
                      " WHERE drained_after IS NOT NULL"
                      " AND drained_upto IS NULL");
  if (!found)
    return std::move(found.error());
  auto hosts = std::vector<drained_host>{};
  for (const auto& row : found->rows)
    if (const auto shard = host_shard(address_of(row, 2)); wanted[shard])
      hosts.push_back({.id = row[0].id<host_id>(), .shard = shard, .after = row[1].integer()});
  return hosts;
}

} // namespace trunkline
