#include "storage/endpoint_store.hpp"

#include <utility>

namespace trunkline {

namespace {

struct stored_endpoint {
  endpoint_id id;
  host_id host;
  std::string url;
  std::optional<time_point> gone_since;
};

caf::expected<std::optional<stored_endpoint>> endpoint_where(database& db, const char* condition,
                                                             const sql_value& value) {
  auto found = db.run(
      std::string{"SELECT id, host_id, url, gone_since FROM endpoint WHERE "} + condition, {value});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<stored_endpoint>{};
  const auto& row = found->rows[0];
  return std::optional{stored_endpoint{row[0].id<endpoint_id>(), row[1].id<host_id>(),
                                       row[2].text(), row[3].optional_time()}};
}

caf::expected<bool> is_used_by_others(database& db, const endpoint_move& move) {
  auto found = db.run("SELECT id FROM account WHERE host_id ="
                      " (SELECT host_id FROM account WHERE id = $1) AND id <> $1"
                      " AND deleted_at IS NULL AND (inbox_id = $2 OR shared_inbox_id = $2) LIMIT 1",
                      {move.account, move.before});
  if (!found)
    return std::move(found.error());
  return !found->rows.empty();
}

caf::expected<bool> may_move(database& db, const endpoint_move& move, const stored_endpoint& old,
                             time_point now) {
  if (old.gone_since && *old.gone_since > now - inbox_gone_for)
    return true;
  const auto is_used = is_used_by_others(db, move);
  if (!is_used)
    return is_used.error();
  return !*is_used;
}

/// Chains are made short, and what is in use again is replaced no more.
caf::error replace(database& db, endpoint_id old, endpoint_id by, time_point now) {
  if (auto failure = error_of(db.run("UPDATE endpoint SET replaced_by = NULL, replaced_at = NULL"
                                     " WHERE id = $1 AND replaced_by IS NOT NULL",
                                     {by})))
    return failure;
  if (auto failure = error_of(db.run("UPDATE endpoint SET replaced_by = $2"
                                     " WHERE replaced_by = $1 AND id <> $2",
                                     {old, by})))
    return failure;
  return error_of(db.run("UPDATE endpoint SET replaced_by = $2, replaced_at = $3 WHERE id = $1",
                         {old, by, now + replacement_delay}));
}

/// Moves the endpoint to an address that nobody has.
caf::error rename(database& db, endpoint_id endpoint, const endpoint_address& to) {
  return error_of(db.run("UPDATE endpoint SET url = $2, shared = $3, gone_since = NULL"
                         " WHERE id = $1",
                         {endpoint, to.url, to.shared}));
}

/// Leaves an endpoint that is there for the one that is wanted.
caf::expected<endpoint_id> leave(database& db, const endpoint_move& move,
                                 const stored_endpoint& old, time_point now) {
  const auto moves = may_move(db, move, old, now);
  if (!moves)
    return moves.error();
  const auto there = endpoint_where(db, "url = $1", move.wanted.url);
  if (!there)
    return there.error();
  if (*moves && !*there && old.host == move.wanted.host) {
    if (auto failure = rename(db, old.id, move.wanted))
      return failure;
    return old.id;
  }
  auto taker = *there ? caf::expected<endpoint_id>{(*there)->id}
                      : ensure_endpoint(db, move.wanted, move.fresh);
  if (taker && *moves)
    if (auto failure = replace(db, old.id, *taker, now))
      return failure;
  return taker;
}

} // namespace

caf::expected<endpoint_id> settle_endpoint(database& db, const endpoint_move& move,
                                           time_point now) {
  if (!move.before)
    return ensure_endpoint(db, move.wanted, move.fresh);
  const auto old = endpoint_where(db, "id = $1", move.before);
  if (!old)
    return old.error();
  if (!*old)
    return ensure_endpoint(db, move.wanted, move.fresh);
  if ((*old)->url == move.wanted.url)
    return move.before;
  return leave(db, move, **old, now);
}

caf::expected<std::string> find_owner_of_inbox(database& db, endpoint_id endpoint) {
  const auto found = db.run("SELECT a.uri FROM endpoint e JOIN account a ON a.host_id = e.host_id"
                            " WHERE e.id = $1 AND a.deleted_at IS NULL"
                            " AND (a.inbox_id = e.id OR a.shared_inbox_id = e.id)"
                            " ORDER BY a.fetched_at, a.id LIMIT 1",
                            {endpoint});
  if (!found)
    return found.error();
  return found->rows.empty() ? std::string{} : found->rows[0][0].text();
}

caf::error note_inbox_gone(database& db, endpoint_id endpoint, time_point now) {
  return error_of(db.run("UPDATE endpoint SET gone_since = $2 WHERE id = $1"
                         " AND (gone_since IS NULL OR gone_since <= $3)",
                         {endpoint, now, now - inbox_gone_for / 2}));
}

} // namespace trunkline
