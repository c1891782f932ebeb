// Posts of other servers: made, edited and deleted by their authors.
#include "actors/inbound_replies.hpp"
#include "actors/inbound_work.hpp"
#include "protocol/safe_remote.hpp"
#include "storage/inbound_store.hpp"
#include "storage/post_store.hpp"
#include "storage/reach_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// Boosters of ours who are told of one edit.
constexpr std::int64_t boosters_told_max = 1'000;

/// How long after its publication a post that was fetched, or whose Update came first, still
/// arrives as something new.
constexpr auto is_news_for = std::chrono::hours{24};

/// Reads the note that the activity brings. Fails when it is none, or not the actor's.
caf::expected<remote_note> brought_note(const inbound_work& work) {
  const auto& said = work.said;
  if (!said.inlined)
    return make_error(errc::malformed, "activity.object: is not there");
  auto note = read_note(*said.inlined);
  if (!note)
    return note;
  if (!work.is_theirs(note->id) || note->attributed_to != work.actor.uri)
    return make_error(errc::forbidden, "note.attributedTo: is not the actor");
  if (note->to.empty() && note->cc.empty()) {
    note->to = said.to;
    note->cc = said.cc;
  }
  return note;
}

bool is_news(const inbound_work& work, const std::optional<time_point>& published) {
  return !published || *published > work.now() - is_news_for;
}

/// Returns those of ours that a note names or is addressed to, and who hear of its author.
caf::expected<bool> concerns_somebody(const inbound_work& work, const remote_note& note) {
  auto uris = std::vector<std::string>{};
  for (const auto* list : {&note.mentions, &note.to, &note.cc})
    std::ranges::copy_if(*list, std::back_inserter(uris),
                         [&](const std::string& uri) { return work.is_own(uri); });
  const auto accounts = local_accounts_among(work.db(), uris);
  if (!accounts)
    return accounts.error();
  for (const auto account : *accounts) {
    const auto shunned = work.is_shunned_by(account);
    if (!shunned)
      return shunned.error();
    if (!*shunned)
      return true;
  }
  return false;
}

/// Tells whether a note answers a post of ours, or of somebody whom one of ours follows.
caf::expected<bool> answers_somebody(const inbound_work& work, const remote_note& note) {
  const auto answered = work.known_post(note.in_reply_to);
  if (!answered)
    return answered.error();
  if (!*answered)
    return false;
  if ((*answered)->uri)
    return has_local_follower(work.db(), (*answered)->author);
  const auto shunned = work.is_shunned_by((*answered)->author);
  if (!shunned)
    return shunned.error();
  return !*shunned;
}

/// Tells whether anybody here may care for a note, and may see it.
caf::expected<bool> is_relevant(const inbound_work& work, const remote_note& note) {
  auto concerns = concerns_somebody(work, note);
  if (!concerns || *concerns)
    return concerns;
  const auto seen_by = visibility_of(note.to, note.cc, work.actor.followers_url);
  if (seen_by == visibility::direct)
    return false;
  auto followed = has_local_follower(work.db(), work.actor.id);
  if (!followed || *followed || seen_by == visibility::followers)
    return followed;
  return answers_somebody(work, note);
}

/// Tells the account of ours, when it may see the post.
caf::error notify_if_seen(const inbound_work& work, account_id account, const post& row) {
  const auto seen = may_see(work.db(), account, row);
  if (!seen)
    return seen.error();
  return *seen ? work.notify(account, notification_kind::mention, row.id) : caf::error{};
}

/// Tells those of ours who are named now, and takes back what was told to those who no longer are.
caf::error notify_named(const inbound_work& work, const post& row,
                        const std::vector<account_reach>& before) {
  const auto named = mentioned_by(work.db(), row.id);
  if (!named)
    return named.error();
  const auto is_among = [](const std::vector<account_reach>& accounts, account_id id) {
    return std::ranges::find(accounts, id, &account_reach::id) != accounts.end();
  };
  for (const auto& account : *named)
    if (account.is_local() && !is_among(before, account.id))
      if (auto failure = notify_if_seen(work, account.id, row))
        return failure;
  for (const auto& account : before)
    if (account.is_local() && !is_among(*named, account.id))
      if (auto failure = work.unnotify(account.id, notification_kind::mention, row.id))
        return failure;
  return {};
}

caf::error notify_boosters(const inbound_work& work, post_id id) {
  const auto boosters = local_boosters(work.db(), id, boosters_told_max);
  if (!boosters)
    return boosters.error();
  for (const auto booster : *boosters)
    if (auto failure = work.notify(booster, notification_kind::update, id))
      return failure;
  return {};
}

/// Tells whether the post has yet to reach timelines: it is new, or was only fetched before.
caf::expected<bool> is_unheard(const inbound_work& work, const stored_note& stored) {
  if (stored.is_new)
    return true;
  if (!is_news(work, stored.row.created_at))
    return false;
  const auto logged =
      is_logged(work.db(), work.actor.id, {object_kind::post, 0, stored.row.id.value});
  if (!logged)
    return logged.error();
  return !*logged;
}

/// Brings a post to timelines and to those it names. Returns whether it had yet to come there.
caf::expected<bool> make_heard(const inbound_work& work, const stored_note& stored) {
  auto unheard = is_unheard(work, stored);
  if (!unheard || !*unheard)
    return unheard;
  if (auto failure = notify_named(work, stored.row, {}))
    return failure;
  work.log(remote_create_entry(stored));
  return true;
}

caf::error take_note(const inbound_work& work, const remote_note& note) {
  const auto relevant = is_relevant(work, note);
  if (!relevant)
    return relevant.error();
  if (!*relevant)
    return {};
  const auto stored =
      store_remote_note(work.db(), note, work.actor, note_arrival::delivered, work.notes());
  if (!stored)
    return stored.error();
  const auto heard = make_heard(work, *stored);
  if (!heard)
    return heard.error();
  return *heard ? forward_new_reply(work, stored->row, note) : caf::error{};
}

/// Of a Create that only names its post, which was fetched then.
caf::error take_fetched(const inbound_work& work) {
  const auto row = work.known_post(work.said.object);
  if (!row)
    return row.error();
  if (!*row || (*row)->author != work.actor.id)
    return {};
  auto named = mentions_of(work.db(), (*row)->id);
  if (!named)
    return std::move(named.error());
  const auto heard = make_heard(work, {.row = **row, .mentions = std::move(*named)});
  return heard ? caf::error{} : heard.error();
}

/// An Update that came before its Create brings the post; the Create then changes nothing.
caf::error take_early_update(const inbound_work& work, const remote_note& note) {
  if (!is_news(work, note.published))
    return {};
  if (auto failure = take_note(work, note))
    return failure;
  auto changed = update_remote_note(work.db(), note, work.actor, work.notes());
  return changed ? caf::error{} : std::move(changed.error());
}

caf::error log_edit(const inbound_work& work, const changed_note& changed,
                    const std::vector<account_reach>& named_before) {
  if (auto failure = notify_named(work, changed.row, named_before))
    return failure;
  if (auto failure = notify_boosters(work, changed.row.id))
    return failure;
  work.log(remote_update_entry(changed));
  const auto to = reply_audiences(work, changed.row);
  return to ? forward(work, log_kind::update, changed.row, *to) : to.error();
}

/// A boost that is deleted is taken back.
log_draft delete_entry(const inbound_work& work, const post& erased) {
  if (!erased.boost_of)
    return remote_delete_entry(erased);
  auto row = work.entry(log_kind::undo_announce,
                        between(object_kind::announce, work.actor.id, erased.boost_of.value));
  row.is_public = is_public(erased.seen_by);
  return row;
}

caf::error delete_theirs(inbound_work& work) {
  const auto& uri = work.said.object;
  const auto known = find_post_by_uri(work.db(), uri, work.shared.own.origin);
  if (!known)
    return known.error();
  const auto row = *known ? find_post(work.db(), **known) : std::optional<post>{};
  if (!row)
    return row.error();
  const auto to = *row ? reply_audiences(work, **row) : reply_forwarding{};
  if (!to)
    return to.error();
  const auto erased = erase_remote_post(work.db(), uri, work.actor);
  if (!erased)
    return erased.error();
  if (!*erased)
    return {};
  if ((*erased)->boost_of)
    if (auto failure =
            work.unnotify((*erased)->boost_author, notification_kind::reblog, (*erased)->boost_of))
      return failure;
  work.log(delete_entry(work, **erased));
  return forward(work, log_kind::remove, **erased, *to);
}

caf::error delete_actor(inbound_work& work) {
  if (auto failure = erase_remote_account(work.db(), work.actor, work.now()))
    return failure;
  auto row = work.entry(log_kind::remove_actor, {object_kind::account, 0, work.actor.id.value});
  row.is_public = true;
  work.log(std::move(row));
  return {};
}

} // namespace

caf::error receive_create(inbound_work& work) {
  if (!work.said.inlined)
    return take_fetched(work);
  auto note = brought_note(work);
  if (!note)
    return std::move(note.error());
  if (is_vote(*note))
    return receive_vote(work, *note);
  make_safe(*note);
  return take_note(work, *note);
}

/// Of an actor whatever its own server says was fetched before.
caf::error receive_update(inbound_work& work) {
  auto note = brought_note(work);
  if (!note)
    return std::move(note.error());
  if (is_vote(*note))
    return {}; // filters let it pass for a vote, which nobody can edit
  make_safe(*note);
  const auto known = find_post_by_uri(work.db(), note->id, work.shared.own.origin);
  if (!known)
    return known.error();
  if (!*known)
    return take_early_update(work, *note);
  const auto named_before = mentioned_by(work.db(), **known);
  if (!named_before)
    return named_before.error();
  const auto changed = update_remote_note(work.db(), *note, work.actor, work.notes());
  if (!changed)
    return changed.error();
  return changed->change == note_change::edited ? log_edit(work, *changed, *named_before)
                                                : caf::error{};
}

caf::error receive_delete(inbound_work& work) {
  const auto& uri = work.said.object;
  if (uri == work.actor.uri)
    return delete_actor(work);
  if (!work.is_theirs(uri))
    return {};
  const auto account = find_account_by_uri(work.db(), uri);
  if (!account)
    return account.error();
  return *account ? caf::error{} : delete_theirs(work);
}

} // namespace trunkline
