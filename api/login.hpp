/// Logging in with a name and a password: counted against guessing, checked off the actors.
#pragma once

#include "api/gateway.hpp"

#include <functional>
#include <string>

namespace trunkline {

struct login_attempt {
  std::string name; ///< Of the account, or its e-mail address.
  std::string password;
  std::string peer; ///< The client's address.
};

/// Calls `then` once, in the gateway, with who logged in. Fails with `rate_limited` before anything
/// is looked at, with `unauthenticated` for a wrong name or password alike, with `forbidden` when
/// the password is right and the account disabled.
void log_in(gateway_state& gateway, login_attempt attempt,
            std::function<void(const caf::expected<account_id>&)> then);

} // namespace trunkline
