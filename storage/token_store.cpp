#include "storage/token_store.hpp"

namespace trunkline {

namespace {

template <class Id>
sql_value nullable(Id id) {
  return id ? sql_value{id} : sql_value{};
}

token_owner read_owner(const sql_row& row) {
  return {.account = row[0].id<account_id>(),
          .app = row[1].id<app_id>(),
          .scopes = row[2].text(),
          .created_at = row[3].time()};
}

} // namespace

caf::expected<std::optional<token_owner>> find_token(database& db, const std::string& hash) {
  auto found = db.run("SELECT t.account_id, t.app_id, t.scopes, t.created_at FROM token t"
                      " LEFT JOIN account a ON a.id = t.account_id"
                      " WHERE t.hash = $1 AND a.disabled_at IS NULL AND a.deleted_at IS NULL",
                      {blob{hash}});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return std::optional<token_owner>{};
  return std::optional{read_owner(found->rows.front())};
}

caf::error store_token(database& db, const std::string& hash, const token_owner& owner) {
  auto stored = db.run(
      "INSERT INTO token(hash, app_id, account_id, scopes, created_at)"
      " VALUES ($1, $2, $3, $4, $5)",
      {blob{hash}, nullable(owner.app), nullable(owner.account), owner.scopes, owner.created_at});
  return stored ? caf::error{} : stored.error();
}

caf::expected<std::optional<token_owner>> delete_token(database& db, const std::string& hash) {
  auto deleted = db.run("DELETE FROM token WHERE hash = $1"
                        " RETURNING account_id, app_id, scopes, created_at",
                        {blob{hash}});
  if (!deleted)
    return deleted.error();
  if (deleted->rows.empty())
    return std::optional<token_owner>{};
  return std::optional{read_owner(deleted->rows.front())};
}

caf::expected<std::int64_t> delete_access(database& db, account_id account) {
  auto count = std::int64_t{0};
  for (const auto* statement :
       {"DELETE FROM token WHERE account_id = $1", "DELETE FROM oauth_code WHERE account_id = $1",
        "DELETE FROM web_session WHERE account_id = $1"}) {
    auto deleted = db.run(statement, {account});
    if (!deleted)
      return deleted.error();
    count += deleted->rows_written;
  }
  return count;
}

caf::error store_code(database& db, const std::string& hash, const code_grant& grant) {
  auto stored = db.run("INSERT INTO oauth_code(hash, app_id, account_id, scopes, redirect_uri,"
                       " challenge, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                       {blob{hash}, grant.app, grant.account, grant.scopes, grant.redirect_uri,
                        grant.challenge, grant.expires_at});
  return stored ? caf::error{} : stored.error();
}

caf::expected<std::optional<code_grant>> find_code(database& db, const std::string& hash) {
  auto found = db.run("SELECT c.app_id, c.account_id, c.scopes, c.redirect_uri, c.challenge,"
                      " c.expires_at, c.token_hash FROM oauth_code c"
                      " JOIN account a ON a.id = c.account_id"
                      " WHERE c.hash = $1 AND a.disabled_at IS NULL AND a.deleted_at IS NULL",
                      {blob{hash}});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return std::optional<code_grant>{};
  const auto& row = found->rows.front();
  return std::optional{code_grant{.app = row[0].id<app_id>(),
                                  .account = row[1].id<account_id>(),
                                  .scopes = row[2].text(),
                                  .redirect_uri = row[3].text(),
                                  .challenge = row[4].text(),
                                  .expires_at = row[5].time(),
                                  .token_hash = row[6].bytes()}};
}

caf::error spend_code(database& db, const std::string& hash, const std::string& token_hash) {
  auto spent = db.run("UPDATE oauth_code SET token_hash = $1 WHERE hash = $2",
                      {blob{token_hash}, blob{hash}});
  return spent ? caf::error{} : spent.error();
}

caf::error delete_expired_access(database& db, time_point now) {
  for (const auto* statement :
       {"DELETE FROM oauth_code WHERE hash IN"
        " (SELECT hash FROM oauth_code WHERE expires_at < $1 LIMIT 1000)",
        "DELETE FROM web_session WHERE hash IN"
        " (SELECT hash FROM web_session WHERE expires_at < $1 LIMIT 1000)"}) {
    if (auto deleted = db.run(statement, {now}); !deleted)
      return deleted.error();
  }
  return {};
}

} // namespace trunkline
