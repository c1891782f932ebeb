#include "storage/app_store.hpp"

namespace trunkline {

namespace {

constexpr auto by_client_id =
    "SELECT id, client_id, secret_hash, name, website, redirect_uris, scopes, created_at FROM app"
    " WHERE client_id = $1";

constexpr auto by_id =
    "SELECT id, client_id, secret_hash, name, website, redirect_uris, scopes, created_at FROM app"
    " WHERE id = $1";

caf::expected<std::optional<stored_app>> first_app(caf::expected<sql_result> found) {
  if (!found)
    return found.error();
  if (found->rows.empty())
    return std::optional<stored_app>{};
  const auto& row = found->rows.front();
  return std::optional{stored_app{.id = row[0].id<app_id>(),
                                  .client_id = row[1].text(),
                                  .secret_hash = row[2].bytes(),
                                  .name = row[3].text(),
                                  .website = row[4].text(),
                                  .redirect_uris = row[5].text(),
                                  .scopes = row[6].text(),
                                  .created_at = row[7].time()}};
}

} // namespace

caf::error store_app(database& db, const stored_app& app) {
  auto stored = db.run("INSERT INTO app(id, client_id, secret_hash, name, website, redirect_uris,"
                       " scopes, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                       {app.id, app.client_id, blob{app.secret_hash}, app.name, app.website,
                        app.redirect_uris, app.scopes, app.created_at});
  return stored ? caf::error{} : stored.error();
}

caf::expected<std::optional<stored_app>> find_app(database& db, const std::string& client_id) {
  return first_app(db.run(by_client_id, {client_id}));
}

caf::expected<std::optional<stored_app>> find_app(database& db, app_id id) {
  return first_app(db.run(by_id, {id}));
}

} // namespace trunkline
