#include "storage/remote_post_store.hpp"

#include "protocol/names.hpp"
#include "storage/node_store.hpp"
#include "storage/post_store.hpp"
#include "storage/remote_json.hpp"
#include "storage/remote_parts.hpp"
#include "storage/sql_list.hpp"

#include <algorithm>
#include <set>

namespace trunkline {

namespace {

/// Ids of the last minute may be on their way to the database: none is taken from among them.
constexpr auto ids_settled_after = std::chrono::minutes{1};

/// Milliseconds that are searched for a free id.
constexpr int id_searches_max = 16;

caf::expected<post_id> fresh_post_id(const note_context& context) {
  auto id = context.ids();
  if (!id)
    return std::move(id.error());
  return post_id{*id};
}

/// The next free id in the millisecond of `published`, or soon after it.
caf::expected<post_id> id_at(database& db, time_point published, const note_context& context) {
  auto floor = make_id(published, context.slot, 0) - 1;
  for (auto search = 0; search < id_searches_max; ++search) {
    const auto id = next_id(published, context.slot, floor);
    const auto last = make_id(time_of(id), context.slot, 0xff);
    auto newest = db.run("SELECT MAX(id) FROM post WHERE id >= $1 AND id <= $2", {id, last});
    if (!newest)
      return std::move(newest.error());
    if (newest->rows[0][0].is_null())
      return post_id{id};
    floor = newest->rows[0][0].integer();
  }
  return fresh_post_id(context);
}

caf::expected<post_id> choose_id(database& db, note_arrival arrival, time_point published,
                                 const note_context& context) {
  if (arrival == note_arrival::delivered || published > context.now - ids_settled_after)
    return fresh_post_id(context);
  return id_at(db, published, context);
}

bool is_below(const std::string& uri, const std::string& origin) {
  return uri.starts_with(origin) && (uri.size() == origin.size() || uri[origin.size()] == '/');
}

caf::error judge(database& db, const remote_note& note, const remote_account& author,
                 const note_context& context) {
  if (author.suspended)
    return make_error(errc::forbidden, "note.attributedTo: is suspended");
  if (note.attributed_to != author.uri)
    return make_error(errc::forbidden, "note.attributedTo: is not its author");
  if (is_below(note.id, context.own_origin))
    return make_error(errc::forbidden, "note.id: is of this server");
  const auto buried = has_tombstone(db, note.id);
  if (!buried)
    return buried.error();
  return *buried ? make_error(errc::gone, "note.id: was deleted") : caf::error{};
}

/// The ids of actors that a note names, and for one that is not public also those of ours that it
/// is addressed to: they may see it.
std::vector<std::string> named_uris(const remote_note& note, visibility seen_by,
                                    const std::string& own_origin) {
  auto uris = std::set<std::string>{note.mentions.begin(), note.mentions.end()};
  if (is_public(seen_by))
    return {uris.begin(), uris.end()};
  auto addressed = std::size_t{0};
  for (const auto* list : {&note.to, &note.cc})
    for (const auto& uri : *list)
      if (addressed < addressed_max && is_below(uri, own_origin))
        addressed += uris.insert(uri).second;
  return {uris.begin(), uris.end()};
}

caf::expected<std::vector<account_id>> find_accounts(database& db,
                                                     const std::vector<std::string>& uris) {
  auto accounts = std::vector<account_id>{};
  if (uris.empty())
    return accounts;
  const auto values = std::vector<sql_value>(uris.begin(), uris.end());
  auto found = db.run("SELECT id FROM account WHERE deleted_at IS NULL AND uri IN (" +
                          parameters(1, values.size()) + ") ORDER BY id",
                      values);
  if (!found)
    return std::move(found.error());
  for (const auto& row : found->rows)
    accounts.push_back(row[0].id<account_id>());
  return accounts;
}

caf::expected<post_links> find_links(database& db, const remote_note& note, visibility seen_by,
                                     const note_context& context) {
  auto links = post_links{};
  auto named = find_accounts(db, named_uris(note, seen_by, context.own_origin));
  if (!named)
    return std::move(named.error());
  links.mentions = std::move(*named);
  for (const auto& name : note.tags)
    if (auto folded = fold_tag(name); !folded.empty())
      if (std::ranges::find(links.tags, folded, &tag_name::folded) == links.tags.end())
        links.tags.push_back({std::move(folded), name});
  return links;
}

/// What of a note stands in the row of its post, but for its id.
post row_of(const remote_note& note, const remote_account& author, time_point now) {
  const auto page = web_address(note.url);
  return {.author = author.id,
          .uri = note.id,
          .html = note.content,
          .spoiler = note.spoiler,
          .sensitive = note.sensitive || !note.spoiler.empty(),
          .seen_by = visibility_of(note.to, note.cc, author.followers_url),
          .language = note.language,
          .created_at = clamp_published(note.published, now),
          .url = page.empty() ? note.id : page,
          .emojis_json = to_json_emojis(note.emojis)};
}

caf::error set_answered(database& db, post& row, const std::string& uri,
                        const note_context& context) {
  if (uri.empty() || uri == row.uri)
    return {};
  const auto answered = find_post_by_uri(db, uri, context.own_origin);
  if (!answered)
    return answered.error();
  if (!*answered)
    return {};
  auto found = find_post(db, **answered);
  if (!found)
    return std::move(found.error());
  if (!*found || (*found)->boost_of)
    return {};
  row.reply_to = (*found)->id;
  row.reply_author = (*found)->author;
  return {};
}

caf::expected<std::optional<post>> find_stored(database& db, const std::string& uri) {
  auto found = db.run("SELECT id FROM post WHERE uri = $1", {uri});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<post>{};
  return find_post(db, found->rows[0][0].id<post_id>());
}

caf::expected<stored_note> known_note(database& db, post row, const remote_account& author) {
  if (row.author != author.id)
    return make_error(errc::conflict, "note.id: is a post of somebody else");
  auto named = mentions_of(db, row.id);
  if (!named)
    return std::move(named.error());
  return stored_note{.row = std::move(row), .mentions = std::move(*named)};
}

caf::expected<stored_note> insert_note(database& db, post row, const remote_note& note,
                                       const note_context& context) {
  auto links = find_links(db, note, row.seen_by, context);
  if (!links)
    return std::move(links.error());
  if (auto failure = insert_post(db, row, audience_id{}, {}))
    return failure;
  if (auto failure = insert_links(db, row.id, *links, context.ids))
    return failure;
  if (auto failure = insert_media(db, row, note.attachments, context.ids))
    return failure;
  if (note.poll)
    if (auto failure = insert_poll(db, row.id, *note.poll, context.now))
      return failure;
  return stored_note{.row = std::move(row), .mentions = std::move(links->mentions), .is_new = true};
}

/// The post as the note would have it; when it is later than what is stored.
std::optional<post> edited(const post& before, const remote_note& note,
                           const remote_account& author, time_point now) {
  const auto version = before.edited_at.value_or(before.created_at);
  if (!note.updated || std::min(*note.updated, now) <= version)
    return std::nullopt;
  const auto fresh = row_of(note, author, now);
  auto after = before;
  after.html = fresh.html;
  after.spoiler = fresh.spoiler;
  after.sensitive = fresh.sensitive;
  after.language = fresh.language;
  after.url = fresh.url;
  after.emojis_json = fresh.emojis_json;
  after.edited_at = std::min(*note.updated, now);
  return after;
}

/// Keeps `remote_edits_max` versions.
caf::error drop_old_edits(database& db, post_id id) {
  return error_of(db.run("DELETE FROM post_edit WHERE post_id = $1 AND at IN (SELECT at FROM"
                         " post_edit WHERE post_id = $1 AND at > (SELECT MIN(at) FROM post_edit"
                         " WHERE post_id = $1) ORDER BY at DESC LIMIT $2 OFFSET $3)",
                         {id, remote_edits_max, remote_edits_max - 1}));
}

caf::error store_version(database& db, const post& before, const post& after,
                         const remote_note& note, const note_context& context) {
  if (auto failure = store_edit(db, before, after))
    return failure;
  if (auto failure = error_of(db.run("UPDATE post SET url = $2, emojis = $3 WHERE id = $1",
                                     {after.id, after.url, after.emojis_json})))
    return failure;
  if (auto failure = drop_old_edits(db, after.id))
    return failure;
  auto links = find_links(db, note, after.seen_by, context);
  if (!links)
    return std::move(links.error());
  if (auto failure = replace_links(db, after.id, *links, context.ids))
    return failure;
  if (auto failure = erase_media(db, after.id))
    return failure;
  return insert_media(db, after, note.attachments, context.ids);
}

caf::expected<changed_note> change_note(database& db, const post& before, const remote_note& note,
                                        const remote_account& author, const note_context& context) {
  auto changed = changed_note{.row = before};
  if (auto after = edited(before, note, author, context.now)) {
    if (auto failure = store_version(db, before, *after, note, context))
      return failure;
    changed.row = std::move(*after);
    changed.change = note_change::edited;
  }
  if (note.poll) {
    const auto counted =
        update_poll(db, before.id, *note.poll, changed.change == note_change::edited, context.now);
    if (!counted)
      return counted.error();
    if (*counted && changed.change == note_change::none)
      changed.change = note_change::counts;
  }
  auto named = mentions_of(db, before.id);
  if (!named)
    return std::move(named.error());
  changed.mentions = std::move(*named);
  return changed;
}

log_draft entry_of(log_kind kind, const post& row) {
  return {.kind = kind,
          .author = row.author,
          .object = {object_kind::post, 0, row.id.value},
          .cls = row.seen_by == visibility::direct ? delivery_class::direct : delivery_class::bulk,
          .is_public = is_public(row.seen_by)};
}

post_facts facts_of(const post& row, const std::vector<account_id>& mentions) {
  return {.id = row.id,
          .author = row.author,
          .reply_to = row.reply_to,
          .reply_author = row.reply_author,
          .seen_by = row.seen_by,
          .language = row.language,
          .mentions = mentions};
}

} // namespace

caf::expected<stored_note> store_remote_note(database& db, const remote_note& note,
                                             const remote_account& author, note_arrival arrival,
                                             const note_context& context) {
  if (auto failure = judge(db, note, author, context))
    return failure;
  auto known = find_stored(db, note.id);
  if (!known)
    return std::move(known.error());
  if (*known)
    return known_note(db, std::move(**known), author);
  auto row = row_of(note, author, context.now);
  const auto id = choose_id(db, arrival, row.created_at, context);
  if (!id)
    return id.error();
  row.id = *id;
  if (auto failure = set_answered(db, row, note.in_reply_to, context))
    return failure;
  return insert_note(db, std::move(row), note, context);
}

caf::expected<changed_note> update_remote_note(database& db, const remote_note& note,
                                               const remote_account& author,
                                               const note_context& context) {
  if (auto failure = judge(db, note, author, context))
    return failure;
  const auto known = find_stored(db, note.id);
  if (!known)
    return known.error();
  if (!*known)
    return make_error(errc::not_found, "note.id: is not known");
  if ((*known)->author != author.id)
    return make_error(errc::forbidden, "note.id: is a post of somebody else");
  return change_note(db, **known, note, author, context);
}

caf::expected<std::optional<post>> erase_remote_post(database& db, const std::string& uri,
                                                     const remote_account& author) {
  auto known = find_stored(db, uri);
  if (!known)
    return known;
  if (*known && (*known)->author != author.id)
    return make_error(errc::forbidden, "note.id: is a post of somebody else");
  if (*known) {
    if (auto failure = erase_media(db, (*known)->id))
      return failure;
    if (auto failure = erase_post(db, (*known)->id))
      return failure;
  }
  if (auto failure = add_tombstone(db, uri))
    return failure;
  return known;
}

log_draft remote_create_entry(const stored_note& stored) {
  auto entry = entry_of(log_kind::create, stored.row);
  entry.facts = facts_of(stored.row, stored.mentions);
  return entry;
}

log_draft remote_update_entry(const changed_note& changed) {
  auto entry = entry_of(log_kind::update, changed.row);
  entry.facts = facts_of(changed.row, changed.mentions);
  return entry;
}

log_draft remote_delete_entry(const post& erased) {
  return entry_of(log_kind::remove, erased);
}

} // namespace trunkline
