// Domains that an account blocks. Their servers hear of no block: only that follows have ended.
#include "actors/account_changes.hpp"
#include "actors/account_refusals.hpp"
#include "actors/domain_blocks.hpp"

#include <utility>

namespace trunkline {

caf::expected<bool> acting_account::block_domain(write_context& context, const std::string& host,
                                                 bool blocked) {
  if (auto failure = begin(context))
    return failure;
  const auto name = canonical_host(host);
  if (!name)
    return refused("Domain is not a valid domain name");
  const auto changed =
      blocked ? store_domain_block(context.db, {.owner = id_, .host = *name, .at = context.now})
              : erase_domain_block(context.db, id_, *name);
  if (!changed)
    return changed.error();
  if (*changed) {
    auto entry = draft_of(blocked ? log_kind::domain_block : log_kind::undo_domain_block,
                          domain_key(id_, *name));
    entry.cls = delivery_class::direct;
    entry.is_public = false;
    context.log.push_back(std::move(entry));
  }
  return blocked ? end_follows_with_domain(context, *name) : caf::expected<bool>{false};
}

/// Ends a round of follows; returns whether some are left.
caf::expected<bool> acting_account::end_follows_with_domain(write_context& context,
                                                            const std::string& host) {
  const auto ended = end_follows_with(context.db, id_, host, domain_round);
  if (!ended)
    return ended.error();
  for (const auto& follow : *ended)
    if (auto failure = log_ended(context, follow))
      return failure;
  const auto forgotten = remove_notifications_of(context.db, id_, host, domain_round);
  if (!forgotten)
    return forgotten.error();
  return std::ssize(*ended) == domain_round || *forgotten == domain_round;
}

} // namespace trunkline
