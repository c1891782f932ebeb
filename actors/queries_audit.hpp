/// The audit of what operators do: changes that write their own entry, and the list of them. For
/// `ask_storage`.
#pragma once

#include "actors/tasks.hpp"
#include "storage/audit_store.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace trunkline {

/// Adds an entry; `id` and `at` are given here.
caf::error record(write_context& context, audit_entry entry);

/// An entry of its own, for what was done elsewhere.
command<caf::unit_t> record_action(audit_entry entry);

/// `change` together with its entry: the database has both, or none. Without `counts` every success
/// is written down; else those for which it says so.
template <class T>
command<T> audited(command<T> change, audit_entry entry,
                   std::function<bool(const T&)> counts = {}) {
  return {[change = std::move(change), entry = std::move(entry),
           counts = std::move(counts)](write_context& context) -> caf::expected<T> {
    auto done = change.run(context);
    if (!done || (counts && !counts(*done)))
      return done;
    if (auto failure = record(context, entry))
      return failure;
    return done;
  }};
}

/// At most `limit` entries, newest first, those before entry `before` (0: from the newest); only
/// those about `target`, unless it is "".
query<std::vector<audit_entry>> ask_audit(std::int64_t before, std::size_t limit,
                                          std::string target);

} // namespace trunkline
