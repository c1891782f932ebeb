#include "storage/admin_store.hpp"

namespace trunkline {

namespace {

constexpr auto overview_columns =
    "SELECT id, name, role, created_at, disabled_at, deleted_at,"
    " (SELECT COUNT(*) FROM post WHERE author = account.id),"
    " (SELECT COUNT(*) FROM follow WHERE followee = account.id AND accepted = 1),"
    " (SELECT COUNT(*) FROM follow WHERE follower = account.id AND accepted = 1),"
    " (SELECT COUNT(*) FROM token WHERE account_id = account.id)"
    " FROM account WHERE host_id IS NULL AND ";

account_overview read_overview(const sql_row& row) {
  return {.id = row[0].id<account_id>(),
          .name = row[1].text(),
          .role = static_cast<account_role>(row[2].integer()),
          .created_at = row[3].time(),
          .disabled_at = row[4].optional_time(),
          .deleted_at = row[5].optional_time(),
          .posts = row[6].integer(),
          .followers = row[7].integer(),
          .following = row[8].integer(),
          .tokens = row[9].integer()};
}

caf::expected<std::vector<account_overview>> read_all(database& db, const std::string& condition,
                                                      std::initializer_list<sql_value> values) {
  auto found = db.run(overview_columns + condition, values);
  if (!found)
    return std::move(found.error());
  auto all = std::vector<account_overview>{};
  for (const auto& row : found->rows)
    all.push_back(read_overview(row));
  return all;
}

caf::error missing(account_id account) {
  return make_error(errc::not_found, "account " + to_string(account) + ": not found");
}

/// Runs a change; the rows do not matter.
caf::error change(database& db, std::string_view sql, std::initializer_list<sql_value> values) {
  auto done = db.run(sql, values);
  return done ? caf::error{} : std::move(done.error());
}

} // namespace

caf::error insert_account(database& db, const operator_account& account) {
  auto failure =
      change(db,
             "INSERT INTO account(id, name, folded, uri, password_hash, role, created_at)"
             " VALUES($1, $2, $3, $4, $5, $6, $7)",
             {account.id, account.name, account.folded, account.uri, account.password_hash,
              static_cast<std::int64_t>(account.role), account.created_at});
  if (failure && code_of(failure) == errc::unique_violation)
    return make_error(errc::conflict, "name: '" + account.name + "' is taken");
  return failure;
}

caf::expected<account_overview> overview_of(database& db, account_id account) {
  auto found = read_all(db, "id = $1", {account});
  if (!found)
    return std::move(found.error());
  if (found->empty())
    return missing(account);
  return std::move(found->front());
}

caf::expected<std::optional<account_overview>> overview_named(database& db,
                                                              const std::string& folded) {
  auto found = read_all(db, "folded = $1", {folded});
  if (!found)
    return std::move(found.error());
  return found->empty() ? std::nullopt : std::optional{std::move(found->front())};
}

caf::expected<std::vector<account_overview>> overviews_after(database& db, account_id after,
                                                             std::int64_t limit) {
  return read_all(db, "id > $1 ORDER BY id LIMIT $2", {after, limit});
}

caf::error set_password_hash(database& db, account_id account, const std::string& hash) {
  auto done = db.run("UPDATE account SET password_hash = $2"
                     " WHERE id = $1 AND host_id IS NULL AND deleted_at IS NULL",
                     {account, hash});
  if (!done)
    return std::move(done.error());
  return done->rows_written > 0 ? caf::error{} : missing(account);
}

caf::expected<bool> set_disabled(database& db, account_id account, std::optional<time_point> at) {
  auto found = db.run("SELECT disabled_at FROM account"
                      " WHERE id = $1 AND host_id IS NULL AND deleted_at IS NULL",
                      {account});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return missing(account);
  if (found->rows.front()[0].is_null() == !at)
    return false;
  if (auto failure = change(db, "UPDATE account SET disabled_at = $2 WHERE id = $1", {account, at}))
    return failure;
  return true;
}

caf::error insert_admin_token(database& db, const std::string& hash, admin_scope scope,
                              const std::string& name, time_point now) {
  return change(db, "INSERT INTO admin_token(hash, scope, name, created_at) VALUES($1, $2, $3, $4)",
                {blob{hash}, static_cast<std::int64_t>(scope), name, now});
}

caf::expected<std::optional<admin_holder>> find_admin_token(database& db, const std::string& hash) {
  auto found = db.run("SELECT scope, name FROM admin_token WHERE hash = $1", {blob{hash}});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<admin_holder>{};
  const auto& row = found->rows.front();
  return std::optional{
      admin_holder{.scope = static_cast<admin_scope>(row[0].integer()), .name = row[1].text()}};
}

} // namespace trunkline
