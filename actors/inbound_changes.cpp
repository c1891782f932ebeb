// Who speaks, what it is about, and what every effect begins and ends with. The effects themselves
// are in inbound_relations.cpp, inbound_posts.cpp, inbound_interactions.cpp and their like.
#include "actors/inbound_changes.hpp"

#include "actors/inbound_work.hpp"
#include "protocol/host_address.hpp"
#include "storage/domain_block_store.hpp"
#include "storage/inbound_store.hpp"
#include "storage/notification_store.hpp"
#include "storage/post_store.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trunkline {

namespace {

struct effect {
  activity_type type;
  caf::error (*apply)(inbound_work&);
};

struct undoing {
  activity_type type;
  caf::expected<bool> (*apply)(inbound_work&, const undone_activity&);
};

constexpr auto undoings = std::to_array<undoing>({
    {activity_type::follow, undo_follow},
    {activity_type::like, undo_like},
    {activity_type::announce, undo_announce},
    {activity_type::block, undo_block},
});

bool may_be_undone(activity_type type) {
  return std::ranges::find(undoings, type, &undoing::type) != undoings.end();
}

/// Returns what is undone; nothing when it is somebody else's, or had no effect here.
std::optional<undone_activity> undone_in(const inbound_work& work) {
  const auto& said = work.said;
  const auto inner = said.inlined ? read_activity(*said.inlined) : make_error(errc::malformed);
  if (!inner)
    return undone_activity{.id = said.object};
  if (inner->actor != work.actor.uri || !may_be_undone(inner->type))
    return std::nullopt;
  return undone_activity{.type = inner->type, .id = inner->id, .object = inner->object};
}

/// Tells whether an Undo is worth remembering: the actor may name the thing, and it may concern us.
bool is_worth_remembering(const inbound_work& work, const undone_activity& what) {
  if (!what.id.empty() && !work.is_theirs(what.id))
    return false;
  if (what.type == activity_type::unknown || what.type == activity_type::announce)
    return !what.id.empty();
  return work.is_own(what.object);
}

caf::error receive_undo(inbound_work& work) {
  const auto what = undone_in(work);
  if (!what)
    return {};
  for (const auto& each : undoings) {
    if (what->type != activity_type::unknown && what->type != each.type)
      continue;
    const auto done = each.apply(work, *what);
    if (!done)
      return done.error();
    if (*done)
      return {};
  }
  if (!is_worth_remembering(work, *what))
    return {};
  return remember_undo(work.db(), undo_key(work.actor, *what), work.now());
}

constexpr auto effects = std::to_array<effect>({
    {activity_type::create, receive_create},
    {activity_type::update, receive_update},
    {activity_type::remove, receive_delete},
    {activity_type::follow, receive_follow},
    {activity_type::accept, receive_accept},
    {activity_type::reject, receive_reject},
    {activity_type::undo, receive_undo},
    {activity_type::like, receive_like},
    {activity_type::announce, receive_announce},
    {activity_type::block, receive_block},
    {activity_type::flag, receive_flag},
    {activity_type::add, receive_add},
    {activity_type::remove_from, receive_remove},
    {activity_type::move, receive_move},
});

/// Failures that say: this has no effect here.
bool is_of_no_effect(const caf::error& failure) {
  switch (code_of(failure)) {
  case errc::conflict:
  case errc::forbidden:
  case errc::gone:
  case errc::invalid:
  case errc::malformed:
  case errc::not_found:
    return true;
  default:
    return false;
  }
}

/// Whoever is suspended may still take back what he said.
bool is_retraction(activity_type type) {
  return type == activity_type::remove || type == activity_type::undo;
}

caf::expected<bool> is_heard(database& db, const remote_account& actor, activity_type type) {
  if (is_retraction(type))
    return true;
  if (actor.suspended)
    return false;
  const auto blocked = is_domain_blocked(db, whole_server, actor.host.name);
  if (!blocked)
    return blocked.error();
  return !*blocked;
}

caf::error apply_heard(write_context& context, const inbound_context& shared, const arrival& row,
                       const activity& said) {
  const auto known = std::ranges::find(effects, said.type, &effect::type);
  if (known == effects.end())
    return {};
  const auto actor = find_remote_account(context.db, row.actor);
  if (!actor)
    return actor.error();
  if (!*actor)
    return {};
  const auto heard = is_heard(context.db, **actor, said.type);
  if (!heard)
    return heard.error();
  if (!*heard)
    return {};
  auto work = inbound_work{context, shared, row, said, **actor};
  return known->apply(work);
}

} // namespace

bool inbound_work::is_own(std::string_view uri) const {
  const auto& origin = shared.own.origin;
  return uri.starts_with(origin) && (uri.size() == origin.size() || uri[origin.size()] == '/');
}

bool inbound_work::is_theirs(std::string_view uri) const {
  return is_same_origin(uri, actor.uri, {.allow_http = true}); // which schemes: judged at arrival
}

std::string inbound_work::known_id() const {
  return is_theirs(said.id) ? said.id : hash_id(row.body);
}

note_context inbound_work::notes() const {
  return {.own_origin = shared.own.origin,
          .ids = [ids = shared.ids] { return ids->next(); },
          .slot = shared.slot,
          .now = context.now};
}

caf::expected<std::optional<account_facts>>
inbound_work::local_account(const std::string& uri) const {
  if (!is_own(uri))
    return std::optional<account_facts>{};
  const auto id = find_account_by_uri(db(), uri);
  if (!id)
    return id.error();
  if (!*id)
    return std::optional<account_facts>{};
  auto facts = find_account_facts(db(), **id);
  if (facts && *facts && !(*facts)->is_local)
    return std::optional<account_facts>{};
  return facts;
}

caf::expected<std::optional<post>> inbound_work::known_post(const std::string& uri) const {
  if (uri.empty())
    return std::optional<post>{};
  const auto id = find_post_by_uri(db(), uri, shared.own.origin);
  if (!id)
    return id.error();
  if (!*id)
    return std::optional<post>{};
  auto found = find_post(db(), **id);
  if (!found || !*found || !(*found)->boost_of)
    return found;
  return find_post(db(), (*found)->boost_of);
}

caf::expected<bool> inbound_work::is_shunned_by(account_id account) const {
  auto blocked = is_blocked_by(db(), account, actor.id);
  if (!blocked || *blocked)
    return blocked;
  return is_domain_blocked(db(), account, actor.host.name);
}

caf::expected<bool> inbound_work::take_early_undo() const {
  if (!said.id.empty()) {
    auto taken = take_undo(db(), undo_key(actor, {.id = said.id}), now());
    if (!taken || *taken)
      return taken;
  }
  return take_undo(db(), undo_key(actor, {.type = said.type, .object = said.object}), now());
}

log_draft inbound_work::entry(log_kind kind, object_key object) const {
  return {.kind = kind, .author = actor.id, .object = object, .is_public = false};
}

caf::error inbound_work::notify(account_id owner, notification_kind kind, post_id post) const {
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  auto told = add_notification(
      db(),
      {.id = *fresh, .owner = owner, .kind = kind, .from = actor.id, .post = post, .at = now()});
  return told ? caf::error{} : std::move(told.error());
}

caf::error inbound_work::unnotify(account_id owner, notification_kind kind, post_id post) const {
  auto removed = remove_notification(
      db(), {.owner = owner, .kind = kind, .from = actor.id, .post = post, .at = now()});
  return removed ? caf::error{} : std::move(removed.error());
}

/// The id says all; without one it is what was done to which object.
std::string undo_key(const remote_account& actor, const undone_activity& what) {
  if (!what.id.empty())
    return actor.uri + " id " + what.id;
  return actor.uri + " type " + std::to_string(static_cast<int>(what.type)) + " " + what.object;
}

caf::error apply_activity(write_context& context, const inbound_context& shared, const arrival& row,
                          const activity& said) {
  if (said.actor != row.actor)
    return {};
  const auto logged = static_cast<std::ptrdiff_t>(context.log.size());
  // What was found to have no effect half way must leave nothing behind.
  auto failure = context.db.transact([&](database& open) {
    auto inner = write_context{open, context.log, context.now};
    return apply_heard(inner, shared, row, said);
  });
  if (!failure)
    return {};
  context.log.erase(context.log.begin() + logged, context.log.end());
  return is_of_no_effect(failure) ? caf::error{} : failure;
}

} // namespace trunkline
