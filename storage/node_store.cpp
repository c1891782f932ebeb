#include "storage/node_store.hpp"

#include "protocol/crypto.hpp"

namespace trunkline {

namespace {

constexpr std::size_t tombstone_bytes = 16;

blob tombstone_of(std::string_view uri) {
  return {sha256(uri).substr(0, tombstone_bytes)};
}

} // namespace

node_row node_from(const sql_row& row) {
  return {.id = row[0].integer(),
          .slot = static_cast<std::uint8_t>(row[1].integer()),
          .incarnation = row[2].integer(),
          .address = row[3].text(),
          .weights = row[4].text(),
          .joined_at = row[5].time(),
          .state = static_cast<node_state>(row[6].integer()),
          .lease_until = row[7].time(),
          .name = row[8].text(),
          .holder = row[9].text(),
          .tried_at = row[10].time(),
          .renewals = row[11].integer(),
          .report = row[12].text(),
          .unreachable = row[13].text(),
          .refused_since = row[14].is_null() ? std::nullopt : std::optional{row[14].time()}};
}

caf::expected<std::optional<node_row>> find_node(database& db, std::int64_t id) {
  auto found =
      db.run("SELECT " + std::string{node_columns} + " FROM node WHERE node.id = $1", {id});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<node_row>{};
  return std::optional{node_from(found->rows[0])};
}

caf::expected<std::int64_t> start_node(database& db, const node_row& node) {
  auto entered = db.run(
      "INSERT INTO node(id, slot, incarnation, address, weights, joined_at, state, lease_until)"
      " VALUES ($1, $2, 1, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET slot = excluded.slot,"
      " incarnation = node.incarnation + 1, address = excluded.address, weights = excluded.weights,"
      " state = excluded.state, lease_until = excluded.lease_until RETURNING incarnation",
      {node.id, node.slot, node.address, node.weights, node.joined_at,
       static_cast<int>(node_state::live), node.lease_until});
  if (!entered)
    return std::move(entered.error());
  return entered->rows[0][0].integer();
}

caf::expected<time_point> reserve_ids(database& db, std::uint8_t slot, time_point until) {
  auto reserved = db.run("INSERT INTO id_slot(slot, ids_until) VALUES ($1, $2) ON CONFLICT (slot)"
                         " DO UPDATE SET ids_until = CASE WHEN excluded.ids_until >"
                         " id_slot.ids_until THEN excluded.ids_until ELSE id_slot.ids_until END"
                         " RETURNING ids_until",
                         {slot, until});
  if (!reserved)
    return std::move(reserved.error());
  return reserved->rows[0][0].time();
}

caf::expected<time_point> ids_until(database& db, std::uint8_t slot) {
  auto found = db.run("SELECT ids_until FROM id_slot WHERE slot = $1", {slot});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? time_point{} : found->rows[0][0].time();
}

caf::expected<std::int64_t> purge_batches(database& db, time_point now, std::size_t limit) {
  auto done = db.run("DELETE FROM batch WHERE id IN"
                     " (SELECT id FROM batch WHERE at < $1 ORDER BY id LIMIT $2)",
                     {now - batch_kept, static_cast<std::int64_t>(limit)});
  if (!done)
    return std::move(done.error());
  return done->rows_written;
}

caf::error add_tombstone(database& db, std::string_view uri) {
  auto done =
      db.run("INSERT INTO tombstone(hash) VALUES ($1) ON CONFLICT DO NOTHING", {tombstone_of(uri)});
  return done ? caf::error{} : std::move(done.error());
}

caf::expected<bool> has_tombstone(database& db, std::string_view uri) {
  auto found = db.run("SELECT 1 FROM tombstone WHERE hash = $1", {tombstone_of(uri)});
  if (!found)
    return std::move(found.error());
  return !found->rows.empty();
}

} // namespace trunkline
