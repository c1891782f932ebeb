// The other half of `acting_account`: boosts taken back, follows, blocks and mutes.
#include "actors/account_changes.hpp"
#include "protocol/errc.hpp"
#include "storage/graph_store.hpp"
#include "storage/post_store.hpp"

namespace trunkline {

namespace {

caf::expected<caf::unit_t> done(caf::error failure = {}) {
  if (failure)
    return failure;
  return caf::unit;
}

object_key relation(object_kind kind, account_id actor, account_id target) {
  return {kind, actor.value, target.value};
}

} // namespace

/// Like `begin`, and the other account must be there.
caf::error acting_account::begin_with(write_context& context, account_id target) {
  if (auto failure = begin(context))
    return failure;
  auto facts = find_account_facts(context.db, target);
  if (!facts)
    return std::move(facts.error());
  return *facts ? caf::error{} : make_error(errc::not_found, "Record not found");
}

/// Appends the row of a change between accounts; `activity` "" stays on this server.
caf::error acting_account::note_relation(write_context& context, log_kind kind, object_key object,
                                         std::string_view activity) {
  auto entry = draft_of(kind, object);
  entry.cls = delivery_class::direct;
  entry.is_public = false;
  if (!activity.empty()) {
    const auto fresh = fresh_id();
    if (!fresh)
      return fresh.error();
    entry.ap_id = urls_.other(name_, activity, *fresh);
  }
  context.log.push_back(std::move(entry));
  return {};
}

caf::error acting_account::erase_own_boost(write_context& context, post_id boosted) {
  const auto boost = boost_by(context.db, id_, boosted);
  if (!boost)
    return boost.error();
  if (!*boost)
    return {};
  const auto to = audience_of(context.db, **boost);
  if (!to)
    return to.error();
  if (auto erased = erase_boost(context.db, id_, boosted); !erased)
    return std::move(erased.error());
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  auto entry = draft_of(log_kind::undo_announce, {object_kind::announce, id_.value, boosted.value});
  entry.audience = *to;
  entry.ap_id = urls_.other(name_, "undo", *fresh);
  context.log.push_back(std::move(entry));
  return {};
}

caf::expected<caf::unit_t> acting_account::unboost(write_context& context, post_id id) {
  if (auto failure = begin(context))
    return failure;
  const auto named = find_post(context.db, id);
  if (!named)
    return named.error();
  return done(erase_own_boost(context, *named && (*named)->boost_of ? (*named)->boost_of : id));
}

caf::expected<caf::unit_t> acting_account::follow(write_context& context, account_id target,
                                                  const follow_options& options) {
  if (auto failure = begin(context))
    return failure;
  const auto facts = find_account_facts(context.db, target);
  if (!facts)
    return facts.error();
  if (!*facts || target == id_)
    return make_error(errc::not_found, "Record not found");
  const auto blocked = is_blocked_either_way(context.db, id_, target);
  if (!blocked)
    return blocked.error();
  if (*blocked)
    return make_error(errc::forbidden, "This action is not allowed");
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  const auto uri = urls_.other(name_, "follow", *fresh);
  const auto accepted = (*facts)->is_local && !(*facts)->locked;
  const auto change =
      store_follow(context.db, {id_, target}, options, accepted, uri, context.now);
  if (!change)
    return change.error();
  if (*change == follow_change::none)
    return done();
  const auto in_force = *change == follow_change::followed || *change == follow_change::changed;
  auto entry = draft_of(in_force ? log_kind::follow : log_kind::follow_request,
                        relation(object_kind::follow, id_, target));
  entry.cls = delivery_class::direct;
  entry.is_public = false;
  entry.ap_id = uri;
  context.log.push_back(std::move(entry));
  return done();
}

caf::error acting_account::end_follow(write_context& context, account_id follower,
                                      account_id followee) {
  const auto end = erase_follow(context.db, {follower, followee});
  if (!end)
    return end.error();
  if (*end == follow_end::none)
    return {};
  const auto kind = *end == follow_end::unfollow ? log_kind::undo_follow : log_kind::reject_follow;
  return note_relation(context, kind, relation(object_kind::follow, follower, followee),
                       follower == id_ ? "undo" : "reject");
}

caf::expected<caf::unit_t> acting_account::unfollow(write_context& context, account_id target) {
  if (auto failure = begin_with(context, target))
    return failure;
  return done(end_follow(context, id_, target));
}

caf::expected<caf::unit_t> acting_account::block(write_context& context, account_id target) {
  if (auto failure = begin_with(context, target))
    return failure;
  if (target == id_) // as Mastodon: nothing happens
    return done();
  const auto changed = store_block(context.db, id_, target, context.now);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done();
  if (auto failure = end_follow(context, id_, target))
    return failure;
  if (auto failure = end_follow(context, target, id_))
    return failure;
  return done(
      note_relation(context, log_kind::block, relation(object_kind::block, id_, target), "block"));
}

caf::expected<caf::unit_t> acting_account::unblock(write_context& context, account_id target) {
  if (auto failure = begin_with(context, target))
    return failure;
  const auto changed = erase_block(context.db, id_, target);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done();
  return done(note_relation(context, log_kind::undo_block,
                            relation(object_kind::block, id_, target), "undo"));
}

caf::expected<caf::unit_t> acting_account::mute(write_context& context, account_id target,
                                                const mute_options& options) {
  if (auto failure = begin_with(context, target))
    return failure;
  if (target == id_)
    return done();
  const auto changed = store_mute(context.db, id_, target, options, context.now);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done();
  return done(note_relation(context, log_kind::mute, relation(object_kind::mute, id_, target), {}));
}

caf::expected<caf::unit_t> acting_account::unmute(write_context& context, account_id target) {
  if (auto failure = begin_with(context, target))
    return failure;
  const auto changed = erase_mute(context.db, id_, target);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done();
  return done(
      note_relation(context, log_kind::undo_mute, relation(object_kind::mute, id_, target), {}));
}

} // namespace trunkline
