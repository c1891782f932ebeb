#include "actors/queries_audit.hpp"

namespace trunkline {

caf::error record(write_context& context, audit_entry entry) {
  entry.at = context.now;
  auto added = add_audit(context.db, entry);
  return added ? caf::error{} : std::move(added.error());
}

command<caf::unit_t> record_action(audit_entry entry) {
  return {[entry = std::move(entry)](write_context& context) -> caf::expected<caf::unit_t> {
    if (auto failure = record(context, entry))
      return failure;
    return caf::unit;
  }};
}

query<std::vector<audit_entry>> ask_audit(std::int64_t before, std::size_t limit,
                                          std::string target) {
  return {[before, limit, target = std::move(target)](database& db) {
    return list_audit(db, before, limit, target);
  }};
}

} // namespace trunkline
