#include "storage/inbound_store.hpp"

#include "storage/sql_list.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

template <class Id>
caf::expected<std::optional<Id>> first_id(caf::expected<sql_result> found) {
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<Id>{};
  return std::optional{found->rows[0][0].id<Id>()};
}

caf::expected<bool> has_rows(caf::expected<sql_result> found) {
  if (!found)
    return std::move(found.error());
  return !found->rows.empty();
}

/// Splits "de,en".
std::vector<std::string> split_languages(const std::string& text) {
  auto languages = std::vector<std::string>{};
  for (auto at = std::size_t{0}; at < text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    languages.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return languages;
}

} // namespace

caf::expected<std::optional<account_id>> find_follower_by_uri(database& db, account_id followee,
                                                              const std::string& uri) {
  return first_id<account_id>(
      db.run("SELECT follower FROM follow WHERE followee = $1 AND uri = $2", {followee, uri}));
}

caf::expected<std::optional<account_id>> find_followee_by_uri(database& db, account_id follower,
                                                              const std::string& uri) {
  return first_id<account_id>(
      db.run("SELECT followee FROM follow WHERE follower = $1 AND uri = $2", {follower, uri}));
}

caf::error rename_follow(database& db, const follow_edge& edge, const std::string& uri) {
  auto renamed = db.run("UPDATE follow SET uri = $3 WHERE follower = $1 AND followee = $2"
                        " AND (uri IS NULL OR uri <> $3)",
                        {edge.follower, edge.followee, uri});
  return renamed ? caf::error{} : std::move(renamed.error());
}

caf::expected<std::optional<post_id>> find_liked_by_uri(database& db, account_id account,
                                                        const std::string& uri) {
  return first_id<post_id>(
      db.run("SELECT post_id FROM favourite WHERE account_id = $1 AND uri = $2", {account, uri}));
}

caf::expected<std::optional<account_id>> find_blocked_by_uri(database& db, account_id blocker,
                                                             const std::string& uri) {
  return first_id<account_id>(
      db.run("SELECT blocked FROM block WHERE blocker = $1 AND uri = $2", {blocker, uri}));
}

caf::expected<bool> is_blocked_by(database& db, account_id blocker, account_id blocked) {
  return has_rows(
      db.run("SELECT 1 FROM block WHERE blocker = $1 AND blocked = $2", {blocker, blocked}));
}

caf::expected<bool> has_local_follower(database& db, account_id account) {
  return has_rows(db.run("SELECT 1 FROM follow f JOIN account a ON a.id = f.follower"
                         " WHERE f.followee = $1 AND f.accepted = 1 AND a.host_id IS NULL LIMIT 1",
                         {account}));
}

caf::expected<std::vector<account_id>> local_accounts_among(database& db,
                                                            std::span<const std::string> uris) {
  auto accounts = std::vector<account_id>{};
  const auto looked_at = uris.first(std::min(uris.size(), addresses_looked_at_max));
  if (looked_at.empty())
    return accounts;
  const auto values = std::vector<sql_value>(looked_at.begin(), looked_at.end());
  auto found = db.run("SELECT id FROM account WHERE host_id IS NULL AND deleted_at IS NULL"
                      " AND uri IN (" +
                          parameters(1, values.size()) + ") ORDER BY id",
                      values);
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows)
    accounts.push_back(row[0].id<account_id>());
  return accounts;
}

caf::expected<bool> is_logged(database& db, account_id author, const object_key& object) {
  return has_rows(db.run("SELECT 1 FROM log WHERE author = $1 AND object_key = $2 LIMIT 1",
                         {author, to_string(object)}));
}

caf::expected<std::vector<local_follower>> local_followers(database& db, account_id followee,
                                                           std::int64_t limit) {
  auto found = db.run("SELECT f.follower, a.name, COALESCE(f.uri, ''), f.show_boosts, f.notify,"
                      " f.languages FROM follow f JOIN account a ON a.id = f.follower"
                      " WHERE f.followee = $1 AND a.host_id IS NULL AND a.deleted_at IS NULL"
                      " ORDER BY f.follower LIMIT $2",
                      {followee, limit});
  if (!found)
    return std::move(found.error());
  auto followers = std::vector<local_follower>{};
  for (const auto& row : found->rows)
    followers.push_back({.id = row[0].id<account_id>(),
                         .name = row[1].text(),
                         .follow_uri = row[2].text(),
                         .options = {.show_boosts = row[3].flag(),
                                     .notify = row[4].flag(),
                                     .languages = split_languages(row[5].text())}});
  return followers;
}

} // namespace trunkline
