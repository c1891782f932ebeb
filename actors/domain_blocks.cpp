#include "actors/domain_blocks.hpp"

#include "protocol/crypto.hpp"
#include "protocol/names.hpp"

#include <utility>

namespace trunkline {

namespace {

void add_block_row(write_context& context, log_kind kind, const std::string& host) {
  context.log.push_back({.kind = kind,
                         .object = domain_key(whole_server, host),
                         .cls = delivery_class::direct,
                         .is_public = false});
}

/// The row's author is the follower, whose own change it is where he is one of ours.
void add_end_row(write_context& context, const ended_follow& ended) {
  const auto [follower, followee] = ended.edge;
  context.log.push_back(
      {.kind = ended.was_accepted ? log_kind::undo_follow : log_kind::reject_follow,
       .author = follower,
       .object = {object_kind::follow, follower.value, followee.value},
       .cls = delivery_class::direct,
       .is_public = false});
}

} // namespace

object_key domain_key(account_id owner, const std::string& host) {
  // A number that stands for the name: a blocked domain needs no row of its own anywhere.
  auto number = std::uint64_t{0};
  for (const auto byte : sha256(host).substr(0, 8))
    number = number << 8 | static_cast<unsigned char>(byte);
  return {object_kind::domain, owner.value, static_cast<std::int64_t>(number >> 1)};
}

command<bool> block_domain_for_all(domain_block_row wish) {
  return {[wish = std::move(wish)](write_context& context) -> caf::expected<bool> {
    auto name = canonical_host(wish.host);
    if (!name)
      return std::move(name.error());
    auto row = wish;
    row.owner = whole_server;
    row.host = std::move(*name);
    row.at = context.now;
    const auto changed = store_domain_block(context.db, row);
    if (!changed)
      return changed.error();
    if (*changed)
      add_block_row(context, log_kind::domain_block, row.host);
    if (row.severity == domain_severity::silence)
      return false;
    const auto ended = end_follows_with(context.db, whole_server, row.host, domain_round);
    if (!ended)
      return ended.error();
    for (const auto& follow : *ended)
      add_end_row(context, follow);
    return std::ssize(*ended) == domain_round;
  }};
}

command<bool> unblock_domain_for_all(std::string host) {
  return {[host = std::move(host)](write_context& context) -> caf::expected<bool> {
    const auto name = canonical_host(host);
    if (!name)
      return name.error();
    const auto changed = erase_domain_block(context.db, whole_server, *name);
    if (!changed)
      return changed.error();
    if (*changed)
      add_block_row(context, log_kind::undo_domain_block, *name);
    return *changed;
  }};
}

} // namespace trunkline
