/// Who may do what: registered applications, tokens and authorization codes as they are stored.
/// Secrets appear as their SHA-256 alone.
#pragma once

#include "protocol/ids.hpp"
#include "protocol/time.hpp"

#include <string>

namespace trunkline {

/// A row of `app`.
struct stored_app {
  app_id id;
  std::string client_id;
  std::string secret_hash; ///< SHA-256.
  std::string name;
  std::string website;       ///< "" for none.
  std::string redirect_uris; ///< One a line, exact.
  std::string scopes;        ///< Parted by spaces.
  time_point created_at;
};

/// Whose token it is. Neither is set for a token of nobody: there is none.
struct token_owner {
  account_id account; ///< 0: the app itself.
  app_id app;         ///< 0: made on the command line.
  std::string scopes; ///< Parted by spaces.
  time_point created_at;
};

/// What an authorization code was given for.
struct code_grant {
  app_id app;
  account_id account;
  std::string scopes;
  std::string redirect_uri;
  std::string challenge; ///< S256; "" when none was given.
  time_point expires_at;
  std::string token_hash; ///< The token it was exchanged for; "" when it was not.
};

/// Who tries to log in.
struct login_subject {
  account_id account; ///< 0: nobody has this name.
  std::string password_hash;
  bool disabled = false;
};

} // namespace trunkline
