// What accounts of other servers do with posts: favourites, boosts, votes and pins.
#include "actors/inbound_work.hpp"
#include "storage/inbound_store.hpp"
#include "storage/interaction_store.hpp"
#include "storage/node_store.hpp"
#include "storage/post_store.hpp"
#include "storage/remote_json.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

bool is_ours(const post& row) {
  return !row.uri;
}

object_key about(const inbound_work& work, object_kind kind, post_id target) {
  return between(kind, work.actor.id, target.value);
}

/// Tells whether the actor sees a post of ours, whose author wants to hear of him.
caf::expected<bool> may_touch(const inbound_work& work, const post& row) {
  auto seen = may_see(work.db(), work.actor.id, row);
  if (!seen || !*seen || !is_ours(row))
    return seen;
  const auto shunned = work.is_shunned_by(row.author);
  if (!shunned)
    return shunned.error();
  return !*shunned;
}

/// Returns the post of ours that a Like or a vote is about; nothing when the actor may not.
caf::expected<std::optional<post>> touched_post(const inbound_work& work, const std::string& uri) {
  auto row = work.known_post(uri);
  if (!row || !*row)
    return row;
  if (!is_ours(**row))
    return std::optional<post>{};
  const auto allowed = may_touch(work, **row);
  if (!allowed)
    return allowed.error();
  return *allowed ? std::move(row) : std::optional<post>{};
}

/// Who may see a boost: nothing when nobody may boost it so.
std::optional<visibility> boost_visibility(const inbound_work& work, const post& original) {
  const auto wanted = visibility_of(work.said.to, work.said.cc, work.actor.followers_url);
  if (wanted == visibility::direct || original.seen_by == visibility::direct)
    return std::nullopt;
  if (is_public(original.seen_by))
    return wanted;
  return original.author == work.actor.id ? std::optional{original.seen_by} : std::nullopt;
}

/// Groups announce the Create of a post: the post itself is meant.
std::string announced_id(const activity& said) {
  if (!said.inlined)
    return said.object;
  const auto types = types_of(*said.inlined);
  const auto is_create = std::ranges::find(types, "Create") != types.end();
  return is_create ? id_of(said.inlined->find("object")) : said.object;
}

/// Tells whether anybody here may care: somebody follows the actor, or the post is ours.
caf::expected<bool> is_relevant(const inbound_work& work, const post& original) {
  if (is_ours(original))
    return true;
  return has_local_follower(work.db(), work.actor.id);
}

/// Tells whether the boost came before, or was deleted.
caf::expected<bool> is_spent(const inbound_work& work, const post& original) {
  const auto known = boost_by(work.db(), work.actor.id, original.id);
  if (!known)
    return known.error();
  if (*known)
    return true;
  const auto uri = work.known_id();
  auto buried = has_tombstone(work.db(), uri);
  if (!buried || *buried)
    return buried;
  const auto taken = find_post_by_uri(work.db(), uri, work.shared.own.origin);
  if (!taken)
    return taken.error();
  if (*taken)
    return true;
  return work.take_early_undo();
}

caf::error log_boost(const inbound_work& work, const post& boost, const post& original) {
  auto mentions = mentions_of(work.db(), original.id);
  if (!mentions)
    return std::move(mentions.error());
  auto row = work.entry(log_kind::announce, about(work, object_kind::announce, original.id));
  row.is_public = is_public(boost.seen_by);
  row.facts = post_facts{.id = boost.id,
                         .author = boost.author,
                         .boost_of = boost.boost_of,
                         .boost_author = boost.boost_author,
                         .seen_by = boost.seen_by,
                         .mentions = std::move(*mentions)};
  work.log(std::move(row));
  return {};
}

caf::error boost(const inbound_work& work, const post& original, visibility seen_by) {
  const auto fresh = work.fresh_id();
  if (!fresh)
    return fresh.error();
  const auto row = post{.id = {*fresh},
                        .author = work.actor.id,
                        .uri = work.known_id(),
                        .seen_by = seen_by,
                        .boost_of = original.id,
                        .boost_author = original.author,
                        .created_at = clamp_published(work.said.published, work.now())};
  if (auto failure = insert_post(work.db(), row, {}, {}))
    return failure;
  if (auto failure = log_boost(work, row, original))
    return failure;
  return work.notify(original.author, notification_kind::reblog, original.id);
}

/// Returns the post whose boost an Undo is about; 0 for none.
caf::expected<post_id> undone_boost(const inbound_work& work, const undone_activity& what) {
  if (!what.id.empty()) {
    const auto id = find_post_by_uri(work.db(), what.id, work.shared.own.origin);
    if (!id)
      return id.error();
    const auto row = *id ? find_post(work.db(), **id) : std::optional<post>{};
    if (!row)
      return row.error();
    if (*row && (*row)->author == work.actor.id)
      return (*row)->boost_of;
  }
  const auto original = work.known_post(what.object);
  if (!original)
    return original.error();
  return *original ? (*original)->id : post_id{};
}

caf::expected<std::optional<post_id>> undone_like(const inbound_work& work,
                                                  const undone_activity& what) {
  if (what.object.empty())
    return find_liked_by_uri(work.db(), work.actor.id, what.id);
  const auto row = work.known_post(what.object);
  if (!row)
    return row.error();
  return *row ? std::optional{(*row)->id} : std::nullopt;
}

/// Returns the post that the actor adds to its featured ones, or removes; nothing when it is none
/// of its own.
caf::expected<std::optional<post>> featured_post(const inbound_work& work) {
  using none = std::optional<post>;
  const auto& said = work.said;
  if (said.target.empty() || said.target != work.actor.featured_url)
    return none{};
  const auto id = find_post_by_uri(work.db(), said.object, work.shared.own.origin);
  if (!id)
    return id.error();
  if (!*id)
    return none{};
  auto row = find_post(work.db(), **id);
  if (!row || !*row)
    return row;
  const auto& found = **row;
  const auto is_pinnable =
      found.author == work.actor.id && !found.boost_of && found.seen_by != visibility::direct;
  return is_pinnable ? std::move(row) : none{};
}

void log_pin(const inbound_work& work, log_kind kind, const post& pinned) {
  auto row = work.entry(kind, about(work, object_kind::pin, pinned.id));
  row.is_public = is_public(pinned.seen_by);
  work.log(std::move(row));
}

} // namespace

caf::error receive_like(inbound_work& work) {
  const auto liked = touched_post(work, work.said.object);
  if (!liked)
    return liked.error();
  if (!*liked)
    return {};
  const auto undone = work.take_early_undo();
  if (!undone)
    return undone.error();
  if (*undone)
    return {};
  const auto& row = **liked;
  const auto stored = store_favourite(work.db(), work.actor.id, row.id, work.now(), work.said.id);
  if (!stored)
    return stored.error();
  if (!*stored)
    return {};
  work.log(work.entry(log_kind::like, about(work, object_kind::like, row.id)));
  return work.notify(row.author, notification_kind::favourite, row.id);
}

caf::error receive_announce(inbound_work& work) {
  const auto original = work.known_post(announced_id(work.said));
  if (!original)
    return original.error();
  if (!*original)
    return {};
  const auto seen_by = boost_visibility(work, **original);
  if (!seen_by)
    return {};
  for (const auto check : {is_relevant, may_touch}) {
    const auto passed = check(work, **original);
    if (!passed)
      return passed.error();
    if (!*passed)
      return {};
  }
  const auto spent = is_spent(work, **original);
  if (!spent)
    return spent.error();
  return *spent ? caf::error{} : boost(work, **original, *seen_by);
}

/// A vote names its option; it is for the eyes of the poll's author.
caf::error receive_vote(inbound_work& work, const remote_note& vote) {
  const auto asked = touched_post(work, vote.in_reply_to);
  if (!asked)
    return asked.error();
  if (!*asked || is_public(visibility_of(vote.to, vote.cc, work.actor.followers_url)))
    return {};
  const auto id = (*asked)->id;
  const auto poll = find_poll(work.db(), id, work.actor.id, work.now());
  if (!poll)
    return poll.error();
  const auto option = std::ranges::find(poll->options, vote.title);
  if (option == poll->options.end())
    return {};
  if (auto failure =
          store_vote(work.db(), id, work.actor.id, option - poll->options.begin(), work.now()))
    return failure;
  work.log(work.entry(log_kind::vote, about(work, object_kind::vote, id)));
  return {};
}

/// Past `pins_max` there is no room, and nothing happens.
caf::error receive_add(inbound_work& work) {
  const auto row = featured_post(work);
  if (!row)
    return row.error();
  if (!*row)
    return {};
  const auto pinned = store_pin(work.db(), work.actor.id, (*row)->id, work.now());
  if (!pinned)
    return pinned.error();
  if (*pinned)
    log_pin(work, log_kind::pin, **row);
  return {};
}

caf::error receive_remove(inbound_work& work) {
  const auto row = featured_post(work);
  if (!row)
    return row.error();
  if (!*row)
    return {};
  const auto erased = erase_pin(work.db(), work.actor.id, (*row)->id);
  if (!erased)
    return erased.error();
  if (*erased)
    log_pin(work, log_kind::unpin, **row);
  return {};
}

caf::expected<bool> undo_like(inbound_work& work, const undone_activity& what) {
  const auto liked = undone_like(work, what);
  if (!liked)
    return liked.error();
  if (!*liked)
    return false;
  const auto erased = erase_favourite(work.db(), work.actor.id, **liked);
  if (!erased || !*erased)
    return erased;
  const auto row = find_post(work.db(), **liked);
  if (!row)
    return row.error();
  if (*row)
    if (auto failure = work.unnotify((*row)->author, notification_kind::favourite, **liked))
      return failure;
  work.log(work.entry(log_kind::undo_like, about(work, object_kind::like, **liked)));
  return true;
}

caf::expected<bool> undo_announce(inbound_work& work, const undone_activity& what) {
  const auto boosted = undone_boost(work, what);
  if (!boosted)
    return boosted.error();
  const auto erased = erase_boost(work.db(), work.actor.id, *boosted);
  if (!erased)
    return erased.error();
  if (!*erased)
    return false;
  const auto original = find_post(work.db(), *boosted);
  if (!original)
    return original.error();
  if (*original)
    if (auto failure =
            work.unnotify((*original)->author, notification_kind::reblog, (*original)->id))
      return failure;
  auto row = work.entry(log_kind::undo_announce, about(work, object_kind::announce, *boosted));
  row.is_public = *original && is_public((*original)->seen_by);
  work.log(std::move(row));
  return true;
}

} // namespace trunkline
