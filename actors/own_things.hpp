/// Finds what addresses of this server mean: ids and pages of our accounts and posts. Questions
/// for `ask_storage`.
#pragma once

#include "actors/resolver_messages.hpp"
#include "actors/tasks.hpp"
#include "protocol/names.hpp"

#include <string>

namespace trunkline {

/// Finds an account of ours by its name in any case. Fails with `not_found`, or `gone` when it was
/// deleted.
query<account_id> ask_own_account(std::string name, url_space urls);

/// Finds the account or post at a path of this server: of its id, its page, or its Create. Fails
/// as `ask_own_account` does.
query<resolved_thing> ask_own_thing(std::string path, url_space urls);

} // namespace trunkline
