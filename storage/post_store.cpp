#include "storage/post_store.hpp"

#include "protocol/json.hpp"
#include "protocol/post_access.hpp"

#include <algorithm>
#include <array>

namespace trunkline {

namespace {

constexpr std::int64_t keys_cleared_max = 1000;

/// NULL for an id that is "none".
template <class Id>
sql_value or_null(Id id) {
  return id ? sql_value{id} : sql_value{};
}

caf::expected<std::optional<post_id>> first_id(caf::expected<sql_result> found) {
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<post_id>{};
  return std::optional{found->rows[0][0].id<post_id>()};
}

caf::error insert_mention(database& db, post_id id, account_id named) {
  return error_of(db.run("INSERT INTO mention(post_id, account_id) VALUES ($1, $2)"
                         " ON CONFLICT DO NOTHING",
                         {id, named}));
}

caf::expected<std::int64_t> ensure_tag(database& db, const tag_name& tag, const fresh_id& ids) {
  auto known = db.run("SELECT id FROM tag WHERE folded = $1", {tag.folded});
  if (!known)
    return std::move(known.error());
  if (!known->rows.empty())
    return known->rows[0][0].integer();
  auto id = ids();
  if (!id)
    return std::move(id.error());
  auto made =
      db.run("INSERT INTO tag(id, folded, name) VALUES ($1, $2, $3)", {*id, tag.folded, tag.name});
  if (!made)
    return std::move(made.error());
  return *id;
}

caf::error insert_tag(database& db, post_id id, const tag_name& tag, const fresh_id& ids) {
  auto tag_id = ensure_tag(db, tag, ids);
  if (!tag_id)
    return std::move(tag_id.error());
  return error_of(db.run("INSERT INTO post_tag(tag_id, post_id) VALUES ($1, $2)"
                         " ON CONFLICT DO NOTHING",
                         {*tag_id, id}));
}

post post_of(const sql_row& row) {
  return {.id = row[0].id<post_id>(),
          .author = row[1].id<account_id>(),
          .uri = row[2].optional_text(),
          .text = row[3].text(),
          .html = row[4].text(),
          .spoiler = row[5].text(),
          .sensitive = row[6].flag(),
          .seen_by = static_cast<visibility>(row[7].integer()),
          .language = row[8].text(),
          .reply_to = row[9].id<post_id>(),
          .reply_author = row[10].id<account_id>(),
          .boost_of = row[11].id<post_id>(),
          .boost_author = row[12].id<account_id>(),
          .app = row[13].id<app_id>(),
          .created_at = row[14].time(),
          .edited_at = row[15].optional_time(),
          .url = row[16].text(),
          .emojis_json = row[17].text()};
}

/// What hangs on a post and goes with it; the post itself comes last.
constexpr auto erase_statements = std::to_array<std::string_view>({
    "DELETE FROM mention WHERE post_id = $1",
    "DELETE FROM post_tag WHERE post_id = $1",
    "DELETE FROM post_edit WHERE post_id = $1",
    "DELETE FROM poll_vote WHERE post_id = $1",
    "DELETE FROM poll WHERE post_id = $1",
    "DELETE FROM favourite WHERE post_id = $1",
    "DELETE FROM bookmark WHERE post_id = $1",
    "DELETE FROM pin WHERE post_id = $1",
    "DELETE FROM post_audience WHERE post_id = $1",
    "DELETE FROM notification WHERE post_id = $1 AND post_id <> 0",
    "UPDATE medium SET post_id = NULL WHERE post_id = $1",
    "DELETE FROM post WHERE boost_of = $1",
    "DELETE FROM post WHERE id = $1",
});

} // namespace

caf::error insert_post(database& db, const post& row, audience_id audience,
                       const std::string& idempotency_key) {
  return error_of(
      db.run("INSERT INTO post(id, author, uri, text, html, spoiler, sensitive, visibility,"
             " language, reply_to, reply_author, boost_of, boost_author, app_id, created_at,"
             " idempotency_key, audience_id, url, emojis) VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"
             " $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
             {row.id, row.author, row.uri, row.text, row.html, row.spoiler, row.sensitive,
              static_cast<std::int64_t>(row.seen_by), row.language, or_null(row.reply_to),
              or_null(row.reply_author), or_null(row.boost_of), or_null(row.boost_author),
              or_null(row.app), row.created_at,
              idempotency_key.empty() ? sql_value{} : sql_value{idempotency_key}, audience, row.url,
              row.emojis_json}));
}

caf::error insert_links(database& db, post_id id, const post_links& links, const fresh_id& ids) {
  for (const auto named : links.mentions)
    if (auto failure = insert_mention(db, id, named))
      return failure;
  for (const auto& tag : links.tags)
    if (auto failure = insert_tag(db, id, tag, ids))
      return failure;
  return {};
}

caf::error replace_links(database& db, post_id id, const post_links& links, const fresh_id& ids) {
  for (const auto sql : std::span{erase_statements}.first(2))
    if (auto failure = error_of(db.run(sql, {id})))
      return failure;
  return insert_links(db, id, links, ids);
}

caf::expected<std::optional<post_id>> find_by_key(database& db, account_id author,
                                                  const std::string& key, time_point now) {
  auto found = db.run("SELECT id, created_at FROM post WHERE author = $1 AND idempotency_key = $2",
                      {author, key});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<post_id>{};
  const auto id = found->rows[0][0].id<post_id>();
  if (found->rows[0][1].time() > now - idempotency_kept)
    return std::optional{id};
  auto cleared = db.run("UPDATE post SET idempotency_key = NULL WHERE id = $1", {id});
  if (!cleared)
    return std::move(cleared.error());
  return std::optional<post_id>{};
}

caf::expected<std::int64_t> clear_keys(database& db, account_id author, time_point before) {
  auto cleared = db.run("UPDATE post SET idempotency_key = NULL WHERE id IN (SELECT id FROM post"
                        " WHERE author = $1 AND idempotency_key IS NOT NULL AND created_at < $2"
                        " LIMIT $3)",
                        {author, before, keys_cleared_max});
  if (!cleared)
    return std::move(cleared.error());
  return cleared->rows_written;
}

caf::expected<std::optional<post>> find_post(database& db, post_id id) {
  auto found = db.run("SELECT id, author, uri, text, html, spoiler, sensitive, visibility,"
                      " language, reply_to, reply_author, boost_of, boost_author, app_id,"
                      " created_at, edited_at, url, emojis FROM post WHERE id = $1",
                      {id});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<post>{};
  return std::optional{post_of(found->rows[0])};
}

caf::expected<std::vector<account_id>> mentions_of(database& db, post_id id) {
  auto found =
      db.run("SELECT account_id FROM mention WHERE post_id = $1 ORDER BY account_id", {id});
  if (!found)
    return std::move(found.error());
  auto named = std::vector<account_id>{};
  for (const auto& row : found->rows)
    named.push_back(row[0].id<account_id>());
  return named;
}

caf::expected<audience_id> audience_of(database& db, post_id id) {
  auto found = db.run("SELECT audience_id FROM post WHERE id = $1", {id});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? audience_id{} : found->rows[0][0].id<audience_id>();
}

caf::error add_post_audience(database& db, post_id id, audience_id audience) {
  if (!audience)
    return {};
  return error_of(db.run("INSERT INTO post_audience(post_id, audience_id)"
                         " SELECT id, CAST($2 AS BIGINT) FROM post WHERE id = $1"
                         " AND audience_id <> $2 ON CONFLICT DO NOTHING",
                         {id, audience}));
}

caf::expected<std::vector<audience_id>> audiences_of(database& db, post_id id) {
  auto found = db.run("SELECT audience_id, 0 AS later FROM post WHERE id = $1 AND audience_id <> 0"
                      " UNION ALL SELECT audience_id, 1 FROM post_audience WHERE post_id = $1"
                      " ORDER BY later, audience_id",
                      {id});
  if (!found)
    return std::move(found.error());
  auto audiences = std::vector<audience_id>{};
  for (const auto& row : found->rows)
    audiences.push_back(row[0].id<audience_id>());
  return audiences;
}

caf::error insert_poll(database& db, post_id id, const poll_draft& poll, time_point ends_at) {
  return error_of(db.run("INSERT INTO poll(post_id, options, multiple, hide_totals, expires_at)"
                         " VALUES ($1, $2, $3, $4, $5)",
                         {id, to_json(json_array{poll.options.begin(), poll.options.end()}),
                          poll.multiple, poll.hide_totals, ends_at}));
}

caf::expected<std::vector<account_id>> local_boosters(database& db, post_id boosted,
                                                      std::int64_t limit) {
  auto found = db.run("SELECT b.author FROM post b JOIN account a ON a.id = b.author"
                      " WHERE b.boost_of = $1 AND a.host_id IS NULL ORDER BY b.author LIMIT $2",
                      {boosted, limit});
  if (!found)
    return std::move(found.error());
  auto boosters = std::vector<account_id>{};
  for (const auto& row : found->rows)
    boosters.push_back(row[0].id<account_id>());
  return boosters;
}

caf::expected<bool> may_see(database& db, account_id viewer, const post& row) {
  auto found = db.run(
      "SELECT (SELECT COUNT(*) FROM block WHERE blocker = $1 AND blocked = $2),"
      " (SELECT COUNT(*) FROM follow WHERE follower = $2 AND followee = $1 AND accepted = 1),"
      " (SELECT COUNT(*) FROM mention WHERE post_id = $3 AND account_id = $2),"
      " (SELECT COUNT(*) FROM account WHERE id = $1 AND deleted_at IS NULL)",
      {row.author, viewer, row.id});
  if (!found)
    return std::move(found.error());
  const auto& facts = found->rows[0];
  return may_see({.seen_by = row.seen_by,
                  .is_author = row.author == viewer,
                  .is_mentioned = facts[2].flag(),
                  .follows_author = facts[1].flag(),
                  .blocked_by_author = facts[0].flag(),
                  .author_gone = !facts[3].flag()});
}

caf::error store_edit(database& db, const post& before, const post& after) {
  auto kept = db.run("INSERT INTO post_edit(post_id, at, text, html, spoiler, sensitive)"
                     " VALUES ($1, $2, $3, $4, $5, $6)",
                     {before.id, before.edited_at.value_or(before.created_at), before.text,
                      before.html, before.spoiler, before.sensitive});
  if (!kept)
    return std::move(kept.error());
  return error_of(db.run("UPDATE post SET text = $2, html = $3, spoiler = $4, sensitive = $5,"
                         " language = $6, edited_at = $7, emojis = $8 WHERE id = $1",
                         {after.id, after.text, after.html, after.spoiler, after.sensitive,
                          after.language, after.edited_at, after.emojis_json}));
}

caf::expected<std::optional<post_id>> boost_by(database& db, account_id author, post_id boosted) {
  return first_id(
      db.run("SELECT id FROM post WHERE boost_of = $1 AND author = $2", {boosted, author}));
}

caf::expected<std::optional<post_id>> erase_boost(database& db, account_id author,
                                                  post_id boosted) {
  return first_id(db.run("DELETE FROM post WHERE boost_of = $1 AND author = $2 RETURNING id",
                         {boosted, author}));
}

caf::error erase_post(database& db, post_id id) {
  for (const auto sql : erase_statements)
    if (auto failure = error_of(db.run(sql, {id})))
      return failure;
  return {};
}

caf::expected<post_id> newest_post_of(database& db, account_id author) {
  auto found = db.run("SELECT id FROM post WHERE author = $1 ORDER BY id DESC LIMIT 1", {author});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? post_id{} : found->rows[0][0].id<post_id>();
}

} // namespace trunkline
