/// Questions and changes about apps, tokens, codes and sessions, for `ask_storage`.
///
/// Secrets come as their SHA-256. Whatever ends a token appends a row to the log, so that caches of
/// every node forget it.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/access.hpp"

#include <optional>
#include <string>

namespace trunkline {

/// Whose token has this hash; fails with `unauthenticated` when nobody's.
query<token_owner> ask_token(std::string hash);

/// Succeeds when `account` may act without a token: it is ours, and neither disabled nor gone.
/// Fails with `forbidden` or `not_found`.
query<caf::unit_t> ask_standing(account_id account);

/// Stores a token. Fails with `forbidden` when its account is disabled or gone.
command<caf::unit_t> grant_token(std::string hash, token_owner owner);

/// Ends a token that `app` was given; one of another app, or none at all, changes nothing.
command<caf::unit_t> revoke_token(std::string hash, app_id app);

command<caf::unit_t> register_app(stored_app app);
query<std::optional<stored_app>> ask_app(std::string client_id);
query<std::optional<stored_app>> ask_app(app_id id);

command<caf::unit_t> store_code(std::string hash, code_grant grant);

/// What a client shows to get a token for a code.
struct code_exchange {
  std::string code_hash;
  std::string token_hash; ///< Of the new token.
  app_id app;
  std::string redirect_uri;
  std::string verifier; ///< "" for none.
};

/// Exchanges a code for a token. Nothing when the code is refused: unknown, expired, of another
/// app or address, with a wrong or missing verifier. A code shown twice ends the token that it
/// gave the first time.
command<std::optional<token_owner>> exchange_code(code_exchange request);

command<caf::unit_t> begin_session(std::string hash, account_id account, time_point expires_at);
query<std::optional<account_id>> ask_session(std::string hash, time_point now);
command<caf::unit_t> end_session(std::string hash);

/// Who logs in with this name or e-mail address; account 0 when nobody does.
query<login_subject> ask_login(std::string name);

} // namespace trunkline
