#include "storage/reach_store.hpp"

namespace trunkline {

namespace {

constexpr std::int64_t boosts_max = 100;

account_reach reach_of(const sql_row& row) {
  return {.id = row[0].id<account_id>(),
          .name = row[1].text(),
          .domain = row[2].is_null() ? std::string{} : row[2].text(),
          .uri = row[3].text(),
          .inbox = row[4].id<endpoint_id>(),
          .shared_inbox = row[5].id<endpoint_id>(),
          .is_deleted = !row[6].is_null()};
}

template <class Id>
caf::expected<std::vector<Id>> ids_of(caf::expected<sql_result> found) {
  if (!found)
    return std::move(found.error());
  auto ids = std::vector<Id>{};
  for (const auto& row : found->rows)
    ids.push_back(row[0].id<Id>());
  return ids;
}

} // namespace

caf::expected<std::optional<account_reach>> find_reach(database& db, account_id id) {
  auto found = db.run("SELECT a.id, a.name, h.name, a.uri, a.inbox_id, a.shared_inbox_id,"
                      " a.deleted_at FROM account a LEFT JOIN host h ON h.id = a.host_id"
                      " WHERE a.id = $1",
                      {id});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<account_reach>{};
  return std::optional{reach_of(found->rows[0])};
}

caf::expected<std::vector<account_reach>> mentioned_by(database& db, post_id post) {
  auto found = db.run("SELECT a.id, a.name, h.name, a.uri, a.inbox_id, a.shared_inbox_id,"
                      " a.deleted_at FROM mention m JOIN account a ON a.id = m.account_id"
                      " LEFT JOIN host h ON h.id = a.host_id"
                      " WHERE m.post_id = $1 AND a.deleted_at IS NULL ORDER BY a.id",
                      {post});
  if (!found)
    return std::move(found.error());
  auto named = std::vector<account_reach>{};
  for (const auto& row : found->rows)
    named.push_back(reach_of(row));
  return named;
}

caf::expected<std::vector<endpoint_id>> endpoints_of_interactors(database& db, post_id post) {
  return ids_of<endpoint_id>(
      db.run("SELECT DISTINCT COALESCE(a.shared_inbox_id, a.inbox_id) AS reached FROM account a"
             " WHERE a.host_id IS NOT NULL AND a.deleted_at IS NULL AND a.inbox_id IS NOT NULL"
             " AND a.id IN (SELECT author FROM post WHERE reply_to = $1"
             " UNION SELECT author FROM post WHERE boost_of = $1"
             " UNION SELECT account_id FROM favourite WHERE post_id = $1"
             " UNION SELECT account_id FROM poll_vote WHERE post_id = $1)"
             " ORDER BY reached LIMIT $2",
             {post, extra_endpoints_max}));
}

caf::expected<std::vector<audience_id>> audiences_of_boosts(database& db, post_id post) {
  return ids_of<audience_id>(db.run("SELECT DISTINCT audience_id FROM post WHERE boost_of = $1"
                                    " AND audience_id <> 0 ORDER BY audience_id DESC LIMIT $2",
                                    {post, boosts_max}));
}

} // namespace trunkline
