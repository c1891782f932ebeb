#include "storage/audience_store.hpp"

#include "protocol/sorted_ids.hpp"

namespace trunkline {

namespace {

/// Runs what makes a row unless there is one, then reads its id.
template <class Id>
caf::expected<Id> id_after(database& db, caf::expected<sql_result> made, std::string_view select,
                           std::initializer_list<sql_value> key) {
  if (!made)
    return std::move(made.error());
  if (!made->rows.empty())
    return made->rows[0][0].id<Id>();
  auto found = db.run(select, key);
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return make_error(errc::storage_busy, "database: a row vanished while it was read");
  return found->rows[0][0].id<Id>();
}

/// Notes that the set of endpoints is another one than before.
caf::error bump_version(database& db, account_id author) {
  auto done = db.run("INSERT INTO follower_set(author, version) VALUES ($1, 1)"
                     " ON CONFLICT (author) DO UPDATE SET version = follower_set.version + 1",
                     {author});
  return done ? caf::error{} : std::move(done.error());
}

caf::error bump_if(database& db, account_id author, caf::expected<sql_result> counted,
                   std::int64_t n) {
  if (!counted)
    return std::move(counted.error());
  const auto changed = !counted->rows.empty() && counted->rows[0][0].integer() == n;
  return changed ? bump_version(db, author) : caf::error{};
}

caf::expected<std::string> present_set(database& db, account_id author) {
  auto found =
      db.run("SELECT endpoint_id FROM follower_endpoint WHERE author = $1 AND n > 0", {author});
  if (!found)
    return std::move(found.error());
  auto ids = std::vector<std::int64_t>{};
  ids.reserve(found->rows.size());
  for (const auto& row : found->rows)
    ids.push_back(row[0].integer());
  return encode_sorted_ids(std::move(ids));
}

} // namespace

caf::expected<host_id> ensure_host(database& db, const host_address& address, host_id fresh) {
  return id_after<host_id>(db,
                           db.run("INSERT INTO host(id, scheme, name, port) VALUES ($1, $2, $3, $4)"
                                  " ON CONFLICT (scheme, name, port) DO NOTHING RETURNING id",
                                  {fresh, address.scheme, address.name, address.port}),
                           "SELECT id FROM host WHERE scheme = $1 AND name = $2 AND port = $3",
                           {address.scheme, address.name, address.port});
}

caf::expected<endpoint_id> ensure_endpoint(database& db, const endpoint_address& address,
                                           endpoint_id fresh) {
  return id_after<endpoint_id>(
      db,
      db.run("INSERT INTO endpoint(id, host_id, url, shared) VALUES ($1, $2, $3, $4)"
             " ON CONFLICT (url) DO NOTHING RETURNING id",
             {fresh, address.host, address.url, address.shared}),
      "SELECT id FROM endpoint WHERE url = $1", {address.url});
}

caf::error add_follower(database& db, account_id author, endpoint_id endpoint) {
  auto counted = db.run("INSERT INTO follower_endpoint(author, endpoint_id, n, from_seq)"
                        " VALUES ($1, $2, 1, (SELECT coalesce(max(seq), 0) FROM log))"
                        " ON CONFLICT (author, endpoint_id) DO UPDATE SET"
                        " n = follower_endpoint.n + 1, left_seq = NULL RETURNING n",
                        {author, endpoint});
  return bump_if(db, author, std::move(counted), 1);
}

caf::error remove_follower(database& db, account_id author, endpoint_id endpoint) {
  auto counted = db.run("UPDATE follower_endpoint SET n = n - 1, left_seq = CASE WHEN n = 1"
                        " THEN (SELECT coalesce(max(seq), 0) FROM log) END"
                        " WHERE author = $1 AND endpoint_id = $2 AND n > 0 RETURNING n",
                        {author, endpoint});
  return bump_if(db, author, std::move(counted), 0);
}

caf::expected<audience_id> audience_for_next_post(database& db, account_id author,
                                                  audience_id fresh) {
  auto known = db.run("SELECT s.version, a.version, a.id, a.endpoint_ids FROM follower_set s"
                      " LEFT JOIN audience a ON a.author = s.author"
                      " WHERE s.author = $1 ORDER BY a.version DESC LIMIT 1",
                      {author});
  if (!known)
    return std::move(known.error());
  if (known->rows.empty()) // never had one
    return audience_id{};
  const auto& newest = known->rows[0];
  const auto wanted = newest[0].integer();
  if (newest[1].integer() == wanted)
    return newest[2].id<audience_id>();
  auto set = present_set(db, author);
  if (!set)
    return std::move(set.error());
  if (set->empty())
    return audience_id{};
  if (!newest[3].is_null() && newest[3].bytes() == *set) // changed and changed back
    return newest[2].id<audience_id>();
  auto made = db.run("INSERT INTO audience(id, author, version, endpoint_ids)"
                     " VALUES ($1, $2, $3, $4)",
                     {fresh, author, wanted, blob{std::move(*set)}});
  if (!made)
    return std::move(made.error());
  return fresh;
}

caf::expected<audience_id> keep_endpoints(database& db, account_id author,
                                          const std::vector<endpoint_id>& endpoints,
                                          audience_id fresh) {
  if (endpoints.empty())
    return audience_id{};
  auto ids = std::vector<std::int64_t>{};
  for (const auto endpoint : endpoints)
    ids.push_back(endpoint.value);
  // Versions of the set of followers rise from 1: below 0 lie those that are none of it.
  auto made = db.run("INSERT INTO audience(id, author, version, endpoint_ids)"
                     " VALUES ($1, $2, $3, $4)",
                     {fresh, author, -fresh.value, blob{encode_sorted_ids(std::move(ids))}});
  if (!made)
    return std::move(made.error());
  return fresh;
}

caf::expected<std::vector<endpoint_id>> endpoints_of(database& db, audience_id audience) {
  auto endpoints = std::vector<endpoint_id>{};
  if (!audience)
    return endpoints;
  auto found = db.run("SELECT endpoint_ids FROM audience WHERE id = $1", {audience});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return make_error(errc::not_found, "audience " + to_string(audience));
  const auto ids = decode_sorted_ids(found->rows[0][0].bytes());
  if (!ids)
    return make_error(errc::storage_broken, "audience " + to_string(audience) + ": damaged");
  for (const auto id : *ids)
    endpoints.push_back(endpoint_id{id});
  return endpoints;
}

caf::expected<std::vector<account_id>> authors_through(database& db, endpoint_id endpoint) {
  auto found = db.run("SELECT author FROM follower_endpoint WHERE endpoint_id = $1"
                      " ORDER BY author",
                      {endpoint});
  if (!found)
    return std::move(found.error());
  auto authors = std::vector<account_id>{};
  for (const auto& row : found->rows)
    authors.push_back(row[0].id<account_id>());
  return authors;
}

} // namespace trunkline
