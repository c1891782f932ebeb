/// What operators did, and why: a list that only grows.
#pragma once

#include "protocol/time.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace trunkline {

/// One action of an operator.
struct audit_entry {
  std::int64_t id = 0; ///< Given by `add_audit`; rises.
  time_point at;
  std::string who;    ///< "socket", or the name of a token.
  std::string action; ///< "pause"
  std::string target; ///< What it was done to: "far.example", "post 12".
  std::string reason; ///< As the operator gave it; may be "".
  std::string detail; ///< What it came to; may be "".

  friend bool operator==(const audit_entry&, const audit_entry&) = default;
};

/// Longest text of each member; more is cut off.
inline constexpr std::size_t audit_text_max = 1'000;

/// Adds an entry and returns its id. Call it in the transaction of the change.
caf::expected<std::int64_t> add_audit(database& db, const audit_entry& entry);

/// Returns at most `limit` entries, newest first, those before entry `before` (0: from the newest);
/// only those about `target`, unless it is "".
caf::expected<std::vector<audit_entry>> list_audit(database& db, std::int64_t before,
                                                   std::size_t limit, const std::string& target);

} // namespace trunkline
