/// Questions and changes about apps, tokens, codes and sessions, for `ask_storage`.
#pragma once

#include "actors/tasks.hpp"
#include "protocol/access.hpp"

#include <optional>
#include <string>

namespace trunkline {

/// Whose token has the SHA-256 `hash`; fails with `unauthenticated` when nobody's.
query<token_owner> ask_token(std::string hash);

} // namespace trunkline
