// How an account stands to others: follows, blocks and mutes. What concerns an account of another
// server goes to its own inbox.
#include "actors/account_changes.hpp"
#include "actors/account_refusals.hpp"
#include "storage/domain_block_store.hpp"
#include "storage/graph_store.hpp"
#include "storage/notification_store.hpp"

#include <utility>

namespace trunkline {

namespace {

object_key relation(object_kind kind, account_id actor, account_id target) {
  return {kind, actor.value, target.value};
}

} // namespace

/// A follow and both its ends, one of which is the account itself.
struct acting_account::followed_pair {
  const account_reach& follower;
  const account_reach& followee;
  std::string follow_uri; ///< The id of the Follow.
};

/// Like `begin`, and the other account must be there.
caf::expected<account_reach> acting_account::begin_with(write_context& context, account_id target) {
  if (auto failure = begin(context))
    return failure;
  auto reach = find_reach(context.db, target);
  if (!reach)
    return std::move(reach.error());
  if (!*reach || (*reach)->is_deleted)
    return no_record();
  return std::move(**reach);
}

account_reach acting_account::self() const {
  return {.id = id_, .name = name_, .uri = urls_.actor(name_)};
}

/// Appends the row of a change between two accounts; one on another server hears of it.
caf::error acting_account::log_relation(write_context& context, log_draft entry,
                                        const account_reach& other,
                                        const std::function<std::string()>& says) {
  entry.cls = delivery_class::direct;
  entry.is_public = false;
  auto to = addressees{};
  to.add(other.personal());
  if (auto failure = address(entry, std::move(to), says))
    return failure;
  context.log.push_back(std::move(entry));
  return {};
}

/// Appends the row of an activity about a Follow: its Undo, Accept or Reject.
caf::error acting_account::log_about_follow(write_context& context, log_kind kind,
                                            std::string_view activity, const followed_pair& pair) {
  const auto uri = fresh_uri(fold_name(activity));
  if (!uri)
    return uri.error();
  auto entry = draft_of(kind, relation(object_kind::follow, pair.follower.id, pair.followee.id));
  entry.ap_id = *uri;
  const auto& other = pair.follower.id == id_ ? pair.followee : pair.follower;
  return log_relation(context, std::move(entry), other, [&] {
    return render_about(activity_of(*uri, activity, pair.follow_uri),
                        {.id = pair.follow_uri,
                         .type = "Follow",
                         .actor = pair.follower.uri,
                         .object = pair.followee.uri});
  });
}

/// Fails when the account must not follow `target`.
caf::error acting_account::check_followable(database& db, const account_reach& target) const {
  if (target.id == id_)
    return no_record();
  const auto blocked = is_blocked_either_way(db, id_, target.id);
  if (!blocked)
    return blocked.error();
  if (*blocked)
    return not_allowed();
  if (target.is_local())
    return {};
  const auto domain_blocked = is_domain_blocked(db, id_, target.domain);
  if (!domain_blocked)
    return domain_blocked.error();
  return *domain_blocked ? not_allowed() : caf::error{};
}

caf::expected<caf::unit_t> acting_account::follow(write_context& context, account_id target,
                                                  const follow_options& options) {
  const auto followee = begin_with(context, target);
  if (!followee)
    return followee.error();
  if (auto failure = check_followable(context.db, *followee))
    return failure;
  const auto facts = find_account_facts(context.db, target);
  if (!facts)
    return facts.error();
  if (!*facts)
    return no_record();
  if ((*facts)->suspended)
    return not_allowed();
  const auto uri = fresh_uri("follow");
  if (!uri)
    return uri.error();
  const auto accepted = (*facts)->is_local && !(*facts)->locked;
  const auto change = store_follow(context.db, {id_, target}, options, accepted, *uri, context.now);
  if (!change)
    return change.error();
  if (*change == follow_change::none)
    return done();
  return done(log_follow(context, *change, *followee, *uri));
}

/// Other options of a follow stay on this server: only a new one is sent.
caf::error acting_account::log_follow(write_context& context, follow_change change,
                                      const account_reach& target, const std::string& follow_uri) {
  const auto is_new = change == follow_change::followed || change == follow_change::requested;
  const auto in_force = change == follow_change::followed || change == follow_change::changed;
  if (is_new)
    if (auto failure =
            notify(context, target.id,
                   in_force ? notification_kind::follow : notification_kind::follow_request, {}))
      return failure;
  auto entry = draft_of(in_force ? log_kind::follow : log_kind::follow_request,
                        relation(object_kind::follow, id_, target.id));
  entry.ap_id = follow_uri;
  return log_relation(context, std::move(entry), is_new ? target : self(),
                      [&] { return render(activity_of(follow_uri, "Follow", target.uri)); });
}

/// Ends a follow, or withdraws or refuses the request.
caf::error acting_account::end_follow(write_context& context, const account_reach& follower,
                                      const account_reach& followee) {
  const auto edge = follow_edge{follower.id, followee.id};
  const auto known = find_follow(context.db, edge);
  if (!known)
    return known.error();
  if (!*known)
    return {};
  if (auto end = erase_follow(context.db, edge); !end)
    return std::move(end.error());
  for (const auto kind : {notification_kind::follow, notification_kind::follow_request})
    if (auto removed = remove_notification(
            context.db,
            {.owner = followee.id, .kind = kind, .from = follower.id, .at = context.now});
        !removed)
      return std::move(removed.error());
  return log_about_follow(
      context, (*known)->accepted ? log_kind::undo_follow : log_kind::reject_follow,
      follower.id == id_ ? "Undo" : "Reject", {follower, followee, (*known)->uri});
}

/// Appends the row of a follow that ended with a blocked domain.
caf::error acting_account::log_ended(write_context& context, const ended_follow& ended) {
  const auto is_mine = ended.edge.follower == id_;
  const auto other = find_reach(context.db, is_mine ? ended.edge.followee : ended.edge.follower);
  if (!other)
    return other.error();
  if (!*other)
    return {};
  const auto own = self();
  return log_about_follow(
      context, ended.was_accepted ? log_kind::undo_follow : log_kind::reject_follow,
      is_mine ? "Undo" : "Reject", {is_mine ? own : **other, is_mine ? **other : own, ended.uri});
}

caf::expected<caf::unit_t> acting_account::unfollow(write_context& context, account_id target) {
  const auto followee = begin_with(context, target);
  if (!followee)
    return followee.error();
  return done(end_follow(context, self(), *followee));
}

caf::expected<caf::unit_t> acting_account::drop_follower(write_context& context,
                                                         account_id follower) {
  const auto other = begin_with(context, follower);
  if (!other)
    return other.error();
  return done(end_follow(context, *other, self()));
}

caf::expected<caf::unit_t> acting_account::answer_request(write_context& context,
                                                          account_id follower, bool accepted) {
  const auto other = begin_with(context, follower);
  if (!other)
    return other.error();
  const auto edge = follow_edge{follower, id_};
  const auto known = find_follow(context.db, edge);
  if (!known)
    return known.error();
  if (!*known || (*known)->accepted)
    return no_record();
  if (!accepted)
    return done(end_follow(context, *other, self()));
  if (auto changed = accept_follow(context.db, edge); !changed)
    return std::move(changed.error());
  if (auto failure = notify_of_acceptance(context, follower))
    return failure;
  return done(log_about_follow(context,
                               other->is_local() ? log_kind::follow : log_kind::accept_follow,
                               "Accept", {*other, self(), (*known)->uri}));
}

/// The request that waited becomes a follow.
caf::error acting_account::notify_of_acceptance(write_context& context, account_id follower) {
  auto row = notification{
      .owner = id_, .kind = notification_kind::follow_request, .from = follower, .at = context.now};
  if (auto removed = remove_notification(context.db, row); !removed)
    return std::move(removed.error());
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  row.id = *fresh;
  row.kind = notification_kind::follow;
  auto told = add_notification(context.db, row);
  return told ? caf::error{} : std::move(told.error());
}

caf::expected<caf::unit_t> acting_account::block(write_context& context, account_id target) {
  const auto other = begin_with(context, target);
  if (!other)
    return other.error();
  if (target == id_) // as Mastodon: nothing happens
    return done();
  const auto uri = fresh_uri("block");
  if (!uri)
    return uri.error();
  const auto changed = store_block(context.db, id_, target, context.now, *uri);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done();
  if (auto failure = end_follow(context, self(), *other))
    return failure;
  if (auto failure = end_follow(context, *other, self()))
    return failure;
  if (auto failure = remove_notifications_from(context.db, id_, target))
    return failure;
  auto entry = draft_of(log_kind::block, relation(object_kind::block, id_, target));
  entry.ap_id = *uri;
  return done(log_relation(context, std::move(entry), *other,
                           [&] { return render(activity_of(*uri, "Block", other->uri)); }));
}

caf::expected<caf::unit_t> acting_account::unblock(write_context& context, account_id target) {
  const auto other = begin_with(context, target);
  if (!other)
    return other.error();
  const auto uri = block_uri(context.db, id_, target);
  if (!uri)
    return uri.error();
  const auto changed = erase_block(context.db, id_, target);
  if (!changed)
    return changed.error();
  if (!*changed)
    return done();
  const auto undo_uri = fresh_uri("undo");
  if (!undo_uri)
    return undo_uri.error();
  auto entry = draft_of(log_kind::undo_block, relation(object_kind::block, id_, target));
  entry.ap_id = *undo_uri;
  return done(log_relation(context, std::move(entry), *other, [&] {
    return render_about(activity_of(*undo_uri, "Undo", *uri),
                        activity_of(*uri, "Block", other->uri));
  }));
}

/// Mutes stay on this server.
caf::error acting_account::log_mute(write_context& context, log_kind kind, account_id target) {
  auto entry = draft_of(kind, relation(object_kind::mute, id_, target));
  entry.cls = delivery_class::direct;
  entry.is_public = false;
  context.log.push_back(std::move(entry));
  return {};
}

caf::expected<caf::unit_t> acting_account::mute(write_context& context, account_id target,
                                                const mute_options& options) {
  if (const auto other = begin_with(context, target); !other)
    return other.error();
  if (target == id_)
    return done();
  const auto changed = store_mute(context.db, id_, target, options, context.now);
  if (!changed)
    return changed.error();
  return done(*changed ? log_mute(context, log_kind::mute, target) : caf::error{});
}

caf::expected<caf::unit_t> acting_account::unmute(write_context& context, account_id target) {
  if (const auto other = begin_with(context, target); !other)
    return other.error();
  const auto changed = erase_mute(context.db, id_, target);
  if (!changed)
    return changed.error();
  return done(*changed ? log_mute(context, log_kind::undo_mute, target) : caf::error{});
}

} // namespace trunkline
