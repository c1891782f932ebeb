/// What the actions of operators have in common: a reason, a dry run, a key under which they are
/// done once, and an entry of the audit.
#pragma once

#include "actors/queries_audit.hpp"
#include "api/gateway.hpp"

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace trunkline {

/// An action under way.
struct operator_action {
  http_reply reply; ///< Remembers the answer when the request has a key.
  /// Another node does it, and remembers the answer; null when there is nothing to remember.
  std::function<void()> leaves;
  bool dry_run = false;
  audit_entry entry; ///< Who, what and why; `target` and `detail` are for whoever acts.
};

/// Returns the entry of an action that has neither key nor dry run: who, and the `reason` of query
/// or body. Fails with `invalid` when that is no text of at most 1,000 bytes.
caf::expected<audit_entry> entry_of(const matched_request& request, std::string action);

/// Reads `dry_run` and `reason`, and takes the request's Idempotency-Key. Returns nothing when it
/// has answered: the key was used before, or something was wrong; `fields` are the names that the
/// query and the body may have beside those two, for a misspelt `dry_run` must not be taken for
/// none.
std::optional<operator_action> begin_action(gateway_state& gateway, const matched_request& request,
                                            const http_reply& reply, std::string action,
                                            std::initializer_list<std::string_view> fields = {});

/// Writes the entry of what was done, and calls `then` once the database has it; nothing is written
/// of a dry run. A failure is answered: whoever acted must know that it was done and not recorded.
void finish_action(gateway_state& gateway, const operator_action& action, std::string target,
                   std::string detail, std::function<void()> then);

} // namespace trunkline
