#include "actors/queries_access.hpp"

#include "protocol/oauth.hpp"
#include "storage/account_store.hpp"
#include "storage/app_store.hpp"
#include "storage/database.hpp"
#include "storage/session_store.hpp"
#include "storage/token_store.hpp"

namespace trunkline {

namespace {

/// Turns what may fail without a result into what a command returns.
caf::expected<caf::unit_t> done(caf::error failure) {
  if (failure)
    return failure;
  return caf::unit;
}

/// A row that tells every node to forget what it knows of the account's tokens.
log_draft revocation_row(account_id account) {
  return {.kind = log_kind::revoke_token,
          .author = account,
          .object = {object_kind::account, 0, account.value},
          .cls = delivery_class::direct,
          .is_public = false};
}

caf::error end_token(write_context& context, const std::string& hash) {
  const auto ended = delete_token(context.db, hash);
  if (!ended)
    return ended.error();
  if (*ended)
    context.log.push_back(revocation_row((*ended)->account));
  return {};
}

bool fits(const code_grant& grant, const code_exchange& request, time_point now) {
  return grant.app == request.app && grant.redirect_uri == request.redirect_uri &&
         now < grant.expires_at && verifier_fits(grant.challenge, request.verifier);
}

caf::expected<std::optional<token_owner>> exchange(write_context& context,
                                                   const code_exchange& request) {
  const auto refused = std::optional<token_owner>{};
  const auto grant = find_code(context.db, request.code_hash);
  if (!grant)
    return grant.error();
  if (!*grant)
    return refused;
  if (!(*grant)->token_hash.empty()) {
    if (auto failure = end_token(context, (*grant)->token_hash))
      return failure;
    return refused;
  }
  if (!fits(**grant, request, context.now))
    return refused;
  const auto owner = token_owner{.account = (*grant)->account,
                                 .app = request.app,
                                 .scopes = (*grant)->scopes,
                                 .created_at = context.now};
  if (auto failure = store_token(context.db, request.token_hash, owner))
    return failure;
  if (auto failure = spend_code(context.db, request.code_hash, request.token_hash))
    return failure;
  return std::optional{owner};
}

} // namespace

query<token_owner> ask_token(std::string hash) {
  return {[hash = std::move(hash)](database& db) -> caf::expected<token_owner> {
    auto found = find_token(db, hash);
    if (!found)
      return found.error();
    if (!*found)
      return make_error(errc::unauthenticated, "The access token is invalid");
    return **found;
  }};
}

query<caf::unit_t> ask_standing(account_id account) {
  return {[account](database& db) -> caf::expected<caf::unit_t> {
    const auto disabled = is_disabled(db, account);
    if (!disabled)
      return disabled.error();
    if (!*disabled)
      return make_error(errc::not_found, "account " + to_string(account) + ": not found");
    if (**disabled)
      return make_error(errc::forbidden, "account " + to_string(account) + ": disabled");
    return caf::unit;
  }};
}

command<caf::unit_t> grant_token(std::string hash, token_owner owner) {
  return {[hash = std::move(hash), owner](write_context& context) -> caf::expected<caf::unit_t> {
    if (auto failure = store_token(context.db, hash, owner))
      return failure;
    const auto usable = find_token(context.db, hash);
    if (!usable)
      return usable.error();
    if (!*usable)
      return make_error(errc::forbidden, "account: disabled or gone");
    return caf::unit;
  }};
}

command<caf::unit_t> revoke_token(std::string hash, app_id app) {
  return {[hash = std::move(hash), app](write_context& context) -> caf::expected<caf::unit_t> {
    const auto owner = find_token(context.db, hash);
    if (!owner)
      return owner.error();
    if (!*owner || (*owner)->app != app)
      return caf::unit;
    return done(end_token(context, hash));
  }};
}

command<caf::unit_t> register_app(stored_app app) {
  return {
      [app = std::move(app)](write_context& context) { return done(store_app(context.db, app)); }};
}

query<std::optional<stored_app>> ask_app(std::string client_id) {
  return {[id = std::move(client_id)](database& db) { return find_app(db, id); }};
}

query<std::optional<stored_app>> ask_app(app_id id) {
  return {[id](database& db) { return find_app(db, id); }};
}

command<caf::unit_t> store_code(std::string hash, code_grant grant) {
  return {[hash = std::move(hash), grant = std::move(grant)](write_context& context) {
    if (auto failure = delete_expired_access(context.db, context.now))
      return done(std::move(failure));
    return done(store_code(context.db, hash, grant));
  }};
}

command<std::optional<token_owner>> exchange_code(code_exchange request) {
  return {[request = std::move(request)](write_context& context) {
    return exchange(context, request);
  }};
}

command<caf::unit_t> begin_session(std::string hash, account_id account, time_point expires_at) {
  return {[hash = std::move(hash), account, expires_at](write_context& context) {
    return done(store_session(context.db, hash, account, context.now, expires_at));
  }};
}

query<std::optional<account_id>> ask_session(std::string hash, time_point now) {
  return {[hash = std::move(hash), now](database& db) { return find_session(db, hash, now); }};
}

command<caf::unit_t> end_session(std::string hash) {
  return {[hash = std::move(hash)](write_context& context) {
    return done(delete_session(context.db, hash));
  }};
}

query<login_subject> ask_login(std::string name) {
  return {[name = std::move(name)](database& db) -> caf::expected<login_subject> {
    auto found = find_login(db, name);
    if (!found)
      return found.error();
    return found->value_or(login_subject{});
  }};
}

} // namespace trunkline
