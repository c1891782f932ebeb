// How accounts of other servers stand to ours: follows and blocks.
#include "actors/inbound_work.hpp"
#include "protocol/activity_out.hpp"
#include "storage/inbound_store.hpp"
#include "storage/profile_store.hpp"

#include <utility>

namespace trunkline {

namespace {

object_key follow_key(const follow_edge& edge) {
  return between(object_kind::follow, edge.follower, edge.followee.value);
}

follow_edge edge_to(const inbound_work& work, const account_facts& followee) {
  return {work.actor.id, followee.id};
}

/// Appends the answer to a Follow, which goes to the follower's own inbox.
caf::error answer(const inbound_work& work, const account_facts& followee, log_kind kind,
                  std::string_view word) {
  const auto fresh = work.fresh_id();
  if (!fresh)
    return fresh.error();
  const auto& own = work.shared.own;
  const auto actor = own.actor(followee.name);
  auto row = work.entry(kind, follow_key(edge_to(work, followee)));
  row.author = followee.id;
  row.cls = delivery_class::direct;
  row.ap_id = own.other(followee.name, fold_name(word), *fresh);
  row.signer = followee.id;
  row.extra = {work.actor.inbox};
  row.body = render_about(
      {.id = *row.ap_id, .type = std::string{word}, .actor = actor, .object = work.said.id},
      {.id = work.said.id, .type = "Follow", .actor = work.actor.uri, .object = actor});
  work.log(std::move(row));
  return {};
}

/// Whoever has moved is followed no more.
caf::expected<bool> may_be_followed(const inbound_work& work, const account_facts& followee) {
  const auto shunned = work.is_shunned_by(followee.id);
  if (!shunned)
    return shunned.error();
  const auto moved = find_move(work.db(), followee.id);
  if (!moved)
    return moved.error();
  return !*shunned && !moved->moved_to;
}

/// Ends a follow and forgets what its followee was told. Returns what ended.
caf::expected<follow_end> end_follow(const inbound_work& work, const follow_edge& edge) {
  auto ended = erase_follow(work.db(), edge);
  if (!ended || *ended == follow_end::none || edge.follower != work.actor.id)
    return ended;
  for (const auto kind : {notification_kind::follow, notification_kind::follow_request})
    if (auto failure = work.unnotify(edge.followee, kind, {}))
      return failure;
  return ended;
}

log_kind kind_of(follow_end ended) {
  return ended == follow_end::unfollow ? log_kind::undo_follow : log_kind::reject_follow;
}

caf::error refuse(const inbound_work& work, const account_facts& followee) {
  const auto ended = end_follow(work, edge_to(work, followee));
  if (!ended)
    return ended.error();
  return answer(work, followee,
                *ended == follow_end::none ? log_kind::reject_follow : kind_of(*ended), "Reject");
}

caf::error accept(const inbound_work& work, const account_facts& followee) {
  return answer(work, followee, log_kind::accept_follow, "Accept");
}

caf::error take_new(const inbound_work& work, const account_facts& followee) {
  const auto edge = edge_to(work, followee);
  const auto stored = store_follow(work.db(), edge, {}, !followee.locked, work.said.id, work.now());
  if (!stored)
    return stored.error();
  if (!followee.locked) {
    if (auto failure = work.notify(followee.id, notification_kind::follow, {}))
      return failure;
    return accept(work, followee);
  }
  auto row = work.entry(log_kind::follow_request, follow_key(edge));
  row.cls = delivery_class::direct;
  work.log(std::move(row));
  return work.notify(followee.id, notification_kind::follow_request, {});
}

/// Whoever asks again has not heard the answer; a newer Follow is what is answered and undone.
caf::error take_again(const inbound_work& work, const account_facts& followee, bool is_accepted) {
  const auto edge = edge_to(work, followee);
  if (!work.said.id.empty())
    if (auto failure = rename_follow(work.db(), edge, work.said.id))
      return failure;
  if (is_accepted)
    return accept(work, followee);
  if (followee.locked)
    return {};
  if (auto accepted = accept_follow(work.db(), edge); !accepted)
    return std::move(accepted.error());
  if (auto failure = work.unnotify(followee.id, notification_kind::follow_request, {}))
    return failure;
  if (auto failure = work.notify(followee.id, notification_kind::follow, {}))
    return failure;
  return accept(work, followee);
}

/// Returns who of ours sent the Follow that the actor answers; nothing when nobody did.
caf::expected<std::optional<account_id>> answered_follower(const inbound_work& work) {
  const auto& said = work.said;
  if (!said.object.empty()) {
    auto found = find_follower_by_uri(work.db(), work.actor.id, said.object);
    // An id of ours names one Follow, or none any more.
    if (!found || *found || work.is_own(said.object))
      return found;
  }
  const auto inner = said.inlined ? read_activity(*said.inlined) : make_error(errc::malformed);
  if (!inner || inner->type != activity_type::follow || inner->object != work.actor.uri)
    return std::optional<account_id>{};
  const auto follower = work.local_account(inner->actor);
  if (!follower)
    return follower.error();
  return *follower ? std::optional{(*follower)->id} : std::nullopt;
}

void log_change(const inbound_work& work, log_kind kind, const follow_edge& edge) {
  auto row = work.entry(kind, follow_key(edge));
  row.cls = delivery_class::direct;
  work.log(std::move(row));
}

/// Returns the account of ours that an Undo is about: by the object, or else by the id.
template <class FindById>
caf::expected<std::optional<account_id>>
undone_target(const inbound_work& work, const undone_activity& what, FindById find_by_id) {
  if (!what.object.empty()) {
    const auto target = work.local_account(what.object);
    if (!target)
      return target.error();
    return *target ? std::optional{(*target)->id} : std::nullopt;
  }
  return find_by_id(work.db(), work.actor.id, what.id);
}

} // namespace

caf::error receive_follow(inbound_work& work) {
  const auto followee = work.local_account(work.said.object);
  if (!followee)
    return followee.error();
  if (!*followee)
    return {};
  const auto undone = work.take_early_undo();
  if (!undone)
    return undone.error();
  if (*undone)
    return {};
  const auto welcome = may_be_followed(work, **followee);
  if (!welcome)
    return welcome.error();
  if (!*welcome)
    return refuse(work, **followee);
  const auto known = find_follow(work.db(), edge_to(work, **followee));
  if (!known)
    return known.error();
  return *known ? take_again(work, **followee, (*known)->accepted) : take_new(work, **followee);
}

caf::error receive_accept(inbound_work& work) {
  const auto follower = answered_follower(work);
  if (!follower)
    return follower.error();
  if (!*follower)
    return {};
  const auto edge = follow_edge{**follower, work.actor.id};
  const auto accepted = accept_follow(work.db(), edge);
  if (!accepted)
    return accepted.error();
  if (*accepted)
    log_change(work, log_kind::follow, edge);
  return {};
}

caf::error receive_reject(inbound_work& work) {
  const auto follower = answered_follower(work);
  if (!follower)
    return follower.error();
  if (!*follower)
    return {};
  const auto edge = follow_edge{**follower, work.actor.id};
  const auto ended = end_follow(work, edge);
  if (!ended)
    return ended.error();
  if (*ended != follow_end::none)
    log_change(work, kind_of(*ended), edge);
  return {};
}

/// Ends the follows between the two: their server takes them for ended.
caf::error receive_block(inbound_work& work) {
  const auto blocked = work.local_account(work.said.object);
  if (!blocked)
    return blocked.error();
  if (!*blocked)
    return {};
  const auto undone = work.take_early_undo();
  if (!undone)
    return undone.error();
  if (*undone)
    return {};
  const auto target = (*blocked)->id;
  const auto stored = store_block(work.db(), work.actor.id, target, work.now(), work.said.id);
  if (!stored)
    return stored.error();
  if (!*stored)
    return {};
  for (const auto& edge : {follow_edge{work.actor.id, target}, follow_edge{target, work.actor.id}})
    if (auto ended = end_follow(work, edge); !ended)
      return std::move(ended.error());
  auto row = work.entry(log_kind::block, between(object_kind::block, work.actor.id, target.value));
  row.cls = delivery_class::direct;
  work.log(std::move(row));
  return {};
}

caf::expected<bool> undo_follow(inbound_work& work, const undone_activity& what) {
  const auto followee = undone_target(work, what, find_followee_by_uri);
  if (!followee)
    return followee.error();
  if (!*followee)
    return false;
  const auto edge = follow_edge{work.actor.id, **followee};
  const auto ended = end_follow(work, edge);
  if (!ended)
    return ended.error();
  if (*ended == follow_end::none)
    return false;
  log_change(work, kind_of(*ended), edge);
  return true;
}

caf::expected<bool> undo_block(inbound_work& work, const undone_activity& what) {
  const auto blocked = undone_target(work, what, find_blocked_by_uri);
  if (!blocked)
    return blocked.error();
  if (!*blocked)
    return false;
  const auto erased = erase_block(work.db(), work.actor.id, **blocked);
  if (!erased)
    return erased.error();
  if (!*erased)
    return false;
  auto row = work.entry(log_kind::undo_block,
                        between(object_kind::block, work.actor.id, (*blocked)->value));
  row.cls = delivery_class::direct;
  work.log(std::move(row));
  return true;
}

} // namespace trunkline
