#include "actors/queries_admin.hpp"

#include "storage/admin_store.hpp"
#include "storage/token_store.hpp"

namespace trunkline {

namespace {

/// A row of the log about the account itself, which stays on this server.
log_draft account_row(log_kind kind, account_id account) {
  return {.kind = kind,
          .author = account,
          .object = {.kind = object_kind::account, .target = account.value},
          .is_public = false};
}

/// Ends every token, code and session; caches learn it from the log.
caf::error end_access(write_context& context, account_id account) {
  auto ended = delete_access(context.db, account);
  if (!ended)
    return std::move(ended.error());
  context.log.push_back(account_row(log_kind::revoke_token, account));
  return {};
}

} // namespace

query<admin_holder> ask_admin_token(std::string hash) {
  return {[hash = std::move(hash)](database& db) -> caf::expected<admin_holder> {
    auto found = find_admin_token(db, hash);
    if (!found)
      return std::move(found.error());
    if (!*found)
      return make_error(errc::unauthenticated, "Authorization: the token is unknown");
    return **found;
  }};
}

command<admin_scope> create_admin_token(std::string hash, admin_scope scope, std::string name) {
  return {[=](write_context& context) -> caf::expected<admin_scope> {
    if (auto failure = insert_admin_token(context.db, hash, scope, name, context.now))
      return failure;
    return scope;
  }};
}

query<account_overview> ask_account(account_id account) {
  return {[account](database& db) { return overview_of(db, account); }};
}

query<std::vector<account_overview>> ask_accounts_named(std::string folded) {
  return {
      [folded = std::move(folded)](database& db) -> caf::expected<std::vector<account_overview>> {
        auto found = overview_named(db, folded);
        if (!found)
          return std::move(found.error());
        return *found ? std::vector{std::move(**found)} : std::vector<account_overview>{};
      }};
}

query<std::vector<account_overview>> ask_accounts(account_id after, std::int64_t limit) {
  return {[after, limit](database& db) { return overviews_after(db, after, limit); }};
}

command<account_overview> create_account(operator_account account) {
  return {
      [account = std::move(account)](write_context& context) -> caf::expected<account_overview> {
        if (auto failure = insert_account(context.db, account))
          return failure;
        context.log.push_back(account_row(log_kind::create_actor, account.id));
        return overview_of(context.db, account.id);
      }};
}

command<account_overview> disable_account(account_id account, bool disabled) {
  return {[=](write_context& context) -> caf::expected<account_overview> {
    const auto since = disabled ? std::optional{context.now} : std::nullopt;
    auto changed = set_disabled(context.db, account, since);
    if (!changed)
      return std::move(changed.error());
    if (*changed)
      context.log.push_back(
          account_row(disabled ? log_kind::disable_account : log_kind::enable_account, account));
    if (*changed && disabled)
      if (auto failure = end_access(context, account))
        return failure;
    return overview_of(context.db, account);
  }};
}

command<account_overview> change_password(account_id account, std::string password_hash) {
  return {[=](write_context& context) -> caf::expected<account_overview> {
    if (auto failure = set_password_hash(context.db, account, password_hash))
      return failure;
    if (auto failure = end_access(context, account))
      return failure;
    return overview_of(context.db, account);
  }};
}

command<account_overview> create_user_token(account_id account, std::string hash,
                                            std::string scopes) {
  return {[=](write_context& context) -> caf::expected<account_overview> {
    const auto found = overview_of(context.db, account);
    if (!found)
      return found.error();
    if (found->disabled_at || found->deleted_at)
      return make_error(errc::conflict, "account " + to_string(account) + ": is disabled");
    if (auto failure = store_token(
            context.db, hash, {.account = account, .scopes = scopes, .created_at = context.now}))
      return failure;
    return overview_of(context.db, account);
  }};
}

} // namespace trunkline
