// Accounts of other servers that move: those of ours who follow them go along.
#include "actors/inbound_work.hpp"
#include "protocol/activity_out.hpp"
#include "storage/domain_block_store.hpp"
#include "storage/inbound_store.hpp"
#include "storage/notification_store.hpp"
#include "storage/profile_store.hpp"
#include "storage/reach_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

constexpr auto moves_apart = std::chrono::hours{24 * 7};

/// Where the actor moves, as far as its new followers look at it.
struct new_home {
  account_reach account;
  bool is_open = false; ///< Follows are in force at once.
};

caf::expected<std::string> fresh_uri(const inbound_work& work, const local_follower& who,
                                     std::string_view word) {
  const auto fresh = work.fresh_id();
  if (!fresh)
    return fresh.error();
  return work.shared.own.other(who.name, word, *fresh);
}

/// A row about a follow of one of ours; its own text is still missing.
log_draft follow_row(log_kind kind, const local_follower& who, account_id followee) {
  return {.kind = kind,
          .author = who.id,
          .object = between(object_kind::follow, who.id, followee.value),
          .cls = delivery_class::direct,
          .is_public = false};
}

plain_activity said_by(const inbound_work& work, const local_follower& who, std::string id,
                       std::string_view type, std::string object) {
  return {.id = std::move(id),
          .type = std::string{type},
          .actor = work.shared.own.actor(who.name),
          .object = std::move(object)};
}

caf::expected<bool> may_follow(const inbound_work& work, const local_follower& who,
                               const new_home& home) {
  const auto& target = home.account;
  if (who.id == target.id)
    return false;
  const auto blocked = is_blocked_either_way(work.db(), who.id, target.id);
  if (!blocked)
    return blocked.error();
  if (*blocked)
    return false;
  const auto known = find_follow(work.db(), {who.id, target.id});
  if (!known)
    return known.error();
  if (*known || target.is_local())
    return !*known;
  const auto domain_blocked = is_domain_blocked(work.db(), who.id, target.domain);
  if (!domain_blocked)
    return domain_blocked.error();
  return !*domain_blocked;
}

/// Only an account of ours is told: another server hears of the Follow.
caf::error tell_followee(const inbound_work& work, const local_follower& who,
                         const new_home& home) {
  if (!home.account.is_local())
    return {};
  const auto fresh = work.fresh_id();
  if (!fresh)
    return fresh.error();
  const auto told =
      add_notification(work.db(), {.id = *fresh,
                                   .owner = home.account.id,
                                   .kind = home.is_open ? notification_kind::follow
                                                        : notification_kind::follow_request,
                                   .from = who.id,
                                   .at = work.now()});
  return told ? caf::error{} : told.error();
}

caf::error follow_new(const inbound_work& work, const local_follower& who, const new_home& home) {
  const auto allowed = may_follow(work, who, home);
  if (!allowed)
    return allowed.error();
  if (!*allowed)
    return {};
  const auto uri = fresh_uri(work, who, "follow");
  if (!uri)
    return uri.error();
  const auto& target = home.account;
  const auto stored =
      store_follow(work.db(), {who.id, target.id}, who.options, home.is_open, *uri, work.now());
  if (!stored)
    return stored.error();
  if (auto failure = tell_followee(work, who, home))
    return failure;
  auto row = follow_row(home.is_open ? log_kind::follow : log_kind::follow_request, who, target.id);
  row.ap_id = *uri;
  if (!target.is_local()) {
    row.signer = who.id;
    row.extra = {target.personal()};
    row.body = render(said_by(work, who, *uri, "Follow", target.uri));
  }
  work.log(std::move(row));
  return {};
}

caf::error leave_old(const inbound_work& work, const local_follower& who) {
  const auto ended = erase_follow(work.db(), {who.id, work.actor.id});
  if (!ended)
    return ended.error();
  const auto uri = fresh_uri(work, who, "undo");
  if (!uri)
    return uri.error();
  const auto was_in_force = *ended == follow_end::unfollow;
  auto row = follow_row(was_in_force ? log_kind::undo_follow : log_kind::reject_follow, who,
                        work.actor.id);
  row.ap_id = *uri;
  row.signer = who.id;
  row.extra = {work.actor.inbox};
  row.body = render_about(said_by(work, who, *uri, "Undo", who.follow_uri),
                          said_by(work, who, who.follow_uri, "Follow", work.actor.uri));
  work.log(std::move(row));
  return {};
}

caf::error move_followers(const inbound_work& work, const new_home& home) {
  const auto followers = local_followers(work.db(), work.actor.id, moved_followers_max);
  if (!followers)
    return followers.error();
  for (const auto& who : *followers) {
    if (auto failure = follow_new(work, who, home))
      return failure;
    if (auto failure = leave_old(work, who))
      return failure;
  }
  return {};
}

/// Returns where the actor moves; nothing when it is unknown, or does not call itself the same.
caf::expected<std::optional<new_home>> claimed_home(const inbound_work& work) {
  using none = std::optional<new_home>;
  const auto id = find_account_by_uri(work.db(), work.said.target);
  if (!id)
    return id.error();
  if (!*id || **id == work.actor.id)
    return none{};
  const auto there = find_move(work.db(), **id);
  if (!there)
    return there.error();
  if (there->moved_to || std::ranges::count(there->aliases, work.actor.uri) == 0)
    return none{};
  const auto facts = find_account_facts(work.db(), **id);
  if (!facts)
    return facts.error();
  auto reach = find_reach(work.db(), **id);
  if (!reach)
    return std::move(reach.error());
  if (!*facts || (*facts)->suspended || !*reach)
    return none{};
  return none{new_home{std::move(**reach), (*facts)->is_local && !(*facts)->locked}};
}

} // namespace

/// Who moves a second time waits for a week; to say the same again takes those along who are left.
caf::error receive_move(inbound_work& work) {
  if (work.said.object != work.actor.uri)
    return {};
  const auto home = claimed_home(work);
  if (!home)
    return home.error();
  if (!*home)
    return {};
  const auto target = (*home)->account.id;
  const auto own = find_move(work.db(), work.actor.id);
  if (!own)
    return own.error();
  const auto is_again = own->moved_at && own->moved_to == target;
  if (own->moved_at && !is_again && work.now() - *own->moved_at < moves_apart)
    return {};
  if (!is_again) {
    if (auto failure = store_move(work.db(), work.actor.id, target, work.now()))
      return failure;
    auto row = work.entry(log_kind::move_account, {object_kind::account, 0, work.actor.id.value});
    row.is_public = true;
    work.log(std::move(row));
  }
  return move_followers(work, **home);
}

} // namespace trunkline
