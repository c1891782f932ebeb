#include "storage/session_store.hpp"

namespace trunkline {

caf::error store_session(database& db, const std::string& hash, account_id account, time_point now,
                         time_point expires_at) {
  auto stored = db.run("INSERT INTO web_session(hash, account_id, created_at, expires_at)"
                       " VALUES ($1, $2, $3, $4)",
                       {blob{hash}, account, now, expires_at});
  return stored ? caf::error{} : stored.error();
}

caf::expected<std::optional<account_id>> find_session(database& db, const std::string& hash,
                                                      time_point now) {
  auto found = db.run("SELECT s.account_id FROM web_session s JOIN account a ON a.id = s.account_id"
                      " WHERE s.hash = $1 AND s.expires_at > $2"
                      " AND a.disabled_at IS NULL AND a.deleted_at IS NULL",
                      {blob{hash}, now});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return std::optional<account_id>{};
  return std::optional{found->rows.front()[0].id<account_id>()};
}

caf::error delete_session(database& db, const std::string& hash) {
  auto deleted = db.run("DELETE FROM web_session WHERE hash = $1", {blob{hash}});
  return deleted ? caf::error{} : deleted.error();
}

} // namespace trunkline
