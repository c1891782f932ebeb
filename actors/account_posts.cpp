// What an account posts, edits and deletes.
#include "actors/account_changes.hpp"
#include "actors/account_refusals.hpp"
#include "storage/audience_store.hpp"
#include "storage/federation_views.hpp"
#include "storage/graph_store.hpp"
#include "storage/node_store.hpp"
#include "storage/notification_store.hpp"
#include "storage/post_store.hpp"

#include <algorithm>
#include <utility>

namespace trunkline {

namespace {

/// Boosters who are told of one edit.
constexpr std::int64_t boosters_told_max = 1'000;

post_facts facts_of(const post& row, const std::vector<account_id>& mentions) {
  auto facts = post_facts{.id = row.id,
                          .author = row.author,
                          .reply_to = row.reply_to,
                          .reply_author = row.reply_author,
                          .seen_by = row.seen_by,
                          .language = row.language,
                          .mentions = mentions};
  std::ranges::sort(facts.mentions);
  return facts;
}

bool says_the_same(const post& one, const post& other) {
  return one.text == other.text && one.spoiler == other.spoiler &&
         one.sensitive == other.sensitive && one.language == other.language;
}

bool names(const std::vector<account_reach>& named, account_id account) {
  return std::ranges::find(named, account, &account_reach::id) != named.end();
}

} // namespace

struct acting_account::resolved_links {
  post_links links;
  std::vector<account_reach> named; ///< Those of `links.mentions`.
  std::string html;
};

caf::expected<post_id> acting_account::next_post_id(database& db) {
  if (!newest_) {
    auto stored = newest_post_of(db, id_);
    if (!stored)
      return std::move(stored.error());
    newest_ = *stored;
  }
  auto id = ids_->next(newest_->value);
  if (!id)
    return std::move(id.error());
  newest_ = post_id{*id};
  return *newest_;
}

/// Once an hour, so that a post stays two rows; what an author who never returns leaves behind is
/// the keys of his last hour.
caf::error acting_account::clear_old_keys(write_context& context) {
  if (keys_cleared_at_ && context.now - *keys_cleared_at_ < idempotency_kept)
    return {};
  auto cleared = clear_keys(context.db, id_, context.now - idempotency_kept);
  if (!cleared)
    return std::move(cleared.error());
  keys_cleared_at_ = context.now;
  return {};
}

caf::expected<acting_account::resolved_links>
acting_account::resolve(database& db, const checked_draft& draft) const {
  auto resolved = resolved_links{.html = draft.html};
  auto hrefs = std::vector<std::string>(draft.entities.size());
  for (auto index = std::size_t{0}; index < draft.entities.size(); ++index) {
    const auto& entity = draft.entities[index];
    if (entity.kind == text_entity::kind_of::tag)
      if (auto folded = fold_tag(entity.name); !folded.empty())
        if (std::ranges::find(resolved.links.tags, folded, &tag_name::folded) ==
            resolved.links.tags.end())
          resolved.links.tags.push_back({std::move(folded), entity.name});
    if (entity.kind != text_entity::kind_of::mention)
      continue;
    const auto host = fold_name(entity.domain);
    auto named = find_named(db, fold_name(entity.name), host == domain_ ? "" : host);
    if (!named)
      return std::move(named.error());
    if (!*named)
      continue;
    hrefs[index] = (*named)->is_local() ? urls_.profile_page((*named)->name) : (*named)->uri;
    if (names(resolved.named, (*named)->id))
      continue;
    resolved.links.mentions.push_back((*named)->id);
    resolved.named.push_back(std::move(**named));
  }
  if (draft.names_somebody)
    resolved.html = render_html(draft.draft.text, draft.entities, hrefs, urls_);
  return resolved;
}

caf::expected<post_id> acting_account::publish(write_context& context, const checked_draft& draft,
                                               const std::string& idempotency_key) {
  if (auto failure = begin(context))
    return failure;
  if (!idempotency_key.empty()) {
    if (auto failure = clear_old_keys(context))
      return failure;
    auto known = find_by_key(context.db, id_, idempotency_key, context.now);
    if (!known)
      return std::move(known.error());
    if (*known)
      return **known;
  }
  auto row = post{.author = id_,
                  .text = draft.draft.text,
                  .spoiler = draft.draft.spoiler,
                  .sensitive = draft.draft.sensitive,
                  .seen_by = draft.draft.seen_by,
                  .language = draft.draft.language,
                  .app = draft.draft.app,
                  .created_at = context.now};
  if (draft.draft.reply_to) {
    auto answered = visible_post(context.db, draft.draft.reply_to);
    if (!answered && code_of(answered.error()) == errc::not_found)
      return make_error(errc::not_found,
                        "The post you are trying to reply to does not appear to exist.");
    if (!answered)
      return std::move(answered.error());
    row.reply_to = answered->id;
    row.reply_author = answered->author;
  }
  return insert(context, std::move(row), draft, idempotency_key);
}

caf::expected<post_id> acting_account::insert(write_context& context, post row,
                                              const checked_draft& draft,
                                              const std::string& idempotency_key) {
  const auto id = next_post_id(context.db);
  if (!id)
    return id;
  row.id = *id;
  auto resolved = resolve(context.db, draft);
  if (!resolved)
    return std::move(resolved.error());
  row.html = std::move(resolved->html);
  const auto to = audience(context.db, row.seen_by, row.id);
  if (!to)
    return to.error();
  if (auto failure = insert_post(context.db, row, *to, idempotency_key))
    return failure;
  if (auto failure =
          insert_links(context.db, row.id, resolved->links, [this] { return fresh_id(); }))
    return failure;
  if (const auto& poll = draft.draft.poll)
    if (auto failure = insert_poll(context.db, row.id, *poll, context.now + poll->life))
      return failure;
  if (auto failure = notify_named(context, row, resolved->named, {}))
    return failure;
  auto entry = post_draft_of(log_kind::create, row);
  entry.ap_id = urls_.activity(name_, row.id);
  entry.facts = facts_of(row, resolved->links.mentions);
  if (auto failure = address_create(context, entry, row, *to, *resolved))
    return failure;
  context.log.push_back(std::move(entry));
  return row.id;
}

/// The author of what is answered hears of it when everybody may, and else only when he is named.
caf::error acting_account::address_create(write_context& context, log_draft& entry, const post& row,
                                          audience_id audience,
                                          const resolved_links& resolved) const {
  auto to = addressees{.audience = audience};
  add_named(to, resolved.named, row.seen_by);
  if (row.reply_author && row.reply_author != id_ && is_public(row.seen_by)) {
    const auto answered = find_reach(context.db, row.reply_author);
    if (!answered)
      return answered.error();
    if (*answered && !(*answered)->is_deleted)
      to.add((*answered)->bulk());
  }
  return address(entry, std::move(to), [&]() -> caf::expected<std::string> {
    const auto note = load_outgoing_note(context.db, row.id, urls_, context.now);
    if (!note)
      return note.error();
    return render_create(*note, urls_);
  });
}

/// Tells those of ours who are named now and were not before, and may see it; what was told to
/// those who are not named any more is taken back.
caf::error acting_account::notify_named(write_context& context, const post& row,
                                        const std::vector<account_reach>& named,
                                        const std::vector<account_reach>& named_before) {
  for (const auto& account : named) {
    if (!account.is_local() || account.id == id_ || names(named_before, account.id))
      continue;
    const auto seen = may_see(context.db, account.id, row);
    if (!seen)
      return seen.error();
    if (*seen)
      if (auto failure = notify(context, account.id, notification_kind::mention, row.id))
        return failure;
  }
  for (const auto& account : named_before)
    if (account.is_local() && !names(named, account.id))
      if (auto failure = unnotify(context, account.id, notification_kind::mention, row.id))
        return failure;
  return {};
}

caf::error acting_account::notify_boosters(write_context& context, post_id post) {
  const auto boosters = local_boosters(context.db, post, boosters_told_max);
  if (!boosters)
    return boosters.error();
  for (const auto booster : *boosters)
    if (auto failure = notify(context, booster, notification_kind::update, post))
      return failure;
  return {};
}

caf::expected<post_id> acting_account::edit(write_context& context, post_id id,
                                            const checked_draft& draft) {
  if (auto failure = begin(context))
    return failure;
  auto before = own_post(context.db, id);
  if (!before)
    return std::move(before.error());
  if (before->boost_of)
    return no_record();
  auto after = *before;
  after.text = draft.draft.text;
  after.spoiler = draft.draft.spoiler;
  after.sensitive = draft.draft.sensitive;
  after.language = draft.draft.language;
  if (says_the_same(*before, after))
    return id;
  const auto named_before = mentioned_by(context.db, id);
  if (!named_before)
    return named_before.error();
  auto resolved = resolve(context.db, draft);
  if (!resolved)
    return std::move(resolved.error());
  after.html = std::move(resolved->html);
  // Versions are told apart by their time, also when two edits share a commit.
  const auto version = before->edited_at.value_or(before->created_at);
  after.edited_at = std::max(context.now, version + std::chrono::microseconds{1});
  if (auto failure = store_edit(context.db, *before, after))
    return failure;
  if (auto failure = replace_links(context.db, id, resolved->links, [this] { return fresh_id(); }))
    return failure;
  if (auto failure = notify_named(context, after, resolved->named, *named_before))
    return failure;
  if (auto failure = notify_boosters(context, id))
    return failure;
  if (auto failure = log_update(context, after, *resolved, *named_before))
    return failure;
  return id;
}

/// An edit that everybody may see goes to the followers by now, to those by then, and to whoever
/// did something with the post; any other to those who had the post, and the persons named.
caf::error acting_account::log_update(write_context& context, const post& after,
                                      const resolved_links& resolved,
                                      const std::vector<account_reach>& named_before) {
  if (auto failure = keep_unnamed(context, after, named_before, resolved))
    return failure;
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  const auto audience_now = is_public(after.seen_by)
                                ? audience(context.db, after.seen_by, post_id{*fresh})
                                : audience_of(context.db, after.id);
  if (!audience_now)
    return audience_now.error();
  auto to = addressees{.audience = *audience_now};
  add_named(to, resolved.named, after.seen_by);
  if (is_public(after.seen_by)) {
    if (auto failure = add_past_audiences(context.db, to, after.id))
      return failure;
    if (auto failure = add_interactors(context.db, to, after.id))
      return failure;
    if (auto failure = add_post_audience(context.db, after.id, to.audience))
      return failure;
  }
  auto entry = post_draft_of(log_kind::update, after);
  entry.ap_id = urls_.update(name_, after.id, *fresh);
  entry.facts = facts_of(after, resolved.links.mentions);
  auto body = [&]() -> caf::expected<std::string> {
    const auto note = load_outgoing_note(context.db, after.id, urls_, context.now);
    if (!note)
      return note.error();
    return render_update(*note, urls_, *fresh);
  };
  if (auto failure = address(entry, std::move(to), body))
    return failure;
  context.log.push_back(std::move(entry));
  return {};
}

/// Keeps where those are reached who had the post because it named them, and are named no more.
caf::error acting_account::keep_unnamed(write_context& context, const post& row,
                                        const std::vector<account_reach>& before,
                                        const resolved_links& resolved) {
  auto gone = std::vector<account_reach>{};
  std::ranges::copy_if(before, std::back_inserter(gone), [&](const account_reach& account) {
    return !account.is_local() && !names(resolved.named, account.id);
  });
  if (gone.empty())
    return {};
  auto to = addressees{};
  add_named(to, gone, row.seen_by);
  to.settle();
  const auto fresh = fresh_id();
  if (!fresh)
    return fresh.error();
  const auto kept = keep_endpoints(context.db, id_, to.extra, audience_id{*fresh});
  return kept ? add_post_audience(context.db, row.id, *kept) : kept.error();
}

/// A Delete goes to everybody who ever had the post: what it undoes must not stay anywhere.
caf::expected<caf::unit_t> acting_account::remove(write_context& context, post_id id) {
  if (auto failure = begin(context))
    return failure;
  const auto row = own_post(context.db, id);
  if (!row)
    return row.error();
  if (row->boost_of)
    return done(erase_own_boost(context, row->boost_of));
  const auto own_audience = audience_of(context.db, id);
  if (!own_audience)
    return own_audience.error();
  const auto named = mentioned_by(context.db, id);
  if (!named)
    return named.error();
  auto to = addressees{.audience = *own_audience};
  add_named(to, *named, row->seen_by);
  if (auto failure = add_past_audiences(context.db, to, id))
    return failure;
  if (row->seen_by != visibility::direct) {
    if (auto failure = add_interactors(context.db, to, id))
      return failure;
    if (auto failure = add_boost_audiences(context.db, to, id))
      return failure;
  }
  if (auto failure = erase_post(context.db, id))
    return failure;
  // Whoever asks is told of a tombstone: only what everybody could see leaves one.
  if (is_public(row->seen_by))
    if (auto failure = add_tombstone(context.db, urls_.post(name_, id)))
      return failure;
  auto entry = post_draft_of(log_kind::remove, *row);
  entry.ap_id = urls_.remove(name_, id);
  auto body = [&]() -> caf::expected<std::string> {
    auto mentions = std::vector<note_mention>{};
    for (const auto& account : *named)
      mentions.push_back({account.uri, {}});
    return render_delete(urls_, name_, id,
                         recipients_of(row->seen_by, urls_.followers(name_), mentions));
  };
  if (auto failure = address(entry, std::move(to), body))
    return failure;
  context.log.push_back(std::move(entry));
  return done();
}

} // namespace trunkline
