#include "protocol/plain_text.hpp"
#include "storage/federation_views.hpp"
#include "storage/remote_json.hpp"
#include "storage/sql_list.hpp"

#include <unordered_map>
#include <utility>

namespace trunkline {

namespace {

constexpr auto note_columns =
    "SELECT p.id, p.author, p.text, p.html, p.spoiler, p.sensitive, p.visibility, p.language,"
    " p.reply_to, p.reply_author, p.created_at, p.edited_at, a.name, r.id, r.uri, ra.name,"
    " (SELECT COUNT(*) FROM mention m WHERE m.post_id = p.id),"
    " (SELECT COUNT(*) FROM post_tag l WHERE l.post_id = p.id),"
    " (SELECT COUNT(*) FROM medium m WHERE m.post_id = p.id),"
    " (SELECT COUNT(*) FROM poll q WHERE q.post_id = p.id)"
    " FROM post p JOIN account a ON a.id = p.author"
    " LEFT JOIN post r ON r.id = p.reply_to LEFT JOIN account ra ON ra.id = r.author"
    " WHERE p.uri IS NULL AND p.boost_of IS NULL AND a.host_id IS NULL AND a.deleted_at IS NULL"
    " AND p.id IN (";

enum note_column : std::size_t {
  id_column,
  author_column,
  text_column,
  html_column,
  spoiler_column,
  sensitive_column,
  visibility_column,
  language_column,
  reply_to_column,
  reply_author_column,
  created_at_column,
  edited_at_column,
  author_name_column,
  replied_id_column,
  replied_uri_column,
  replied_author_column,
  mentions_column,
  tags_column,
  media_column,
  poll_column,
};

using note_table = std::unordered_map<post_id, outgoing_note>;

/// Which posts have parts in tables of their own: most have none, and cost no statement.
struct parted_notes {
  std::vector<post_id> naming;
  std::vector<post_id> tagged;
  std::vector<post_id> with_media;
  std::vector<post_id> with_poll;
};

/// The id of what a post answers; "" when it answers nothing, or what is gone.
std::string reply_uri_of(const sql_row& row, const url_space& urls) {
  if (row[replied_id_column].is_null())
    return {};
  if (auto uri = row[replied_uri_column].optional_text())
    return std::move(*uri);
  return urls.post(row[replied_author_column].text(), row[replied_id_column].id<post_id>());
}

outgoing_note read_note(const sql_row& row, const url_space& urls) {
  return {.row = {.id = row[id_column].id<post_id>(),
                  .author = row[author_column].id<account_id>(),
                  .text = row[text_column].text(),
                  .html = row[html_column].text(),
                  .spoiler = row[spoiler_column].text(),
                  .sensitive = row[sensitive_column].flag(),
                  .seen_by = static_cast<visibility>(row[visibility_column].integer()),
                  .language = row[language_column].text(),
                  .reply_to = row[reply_to_column].id<post_id>(),
                  .reply_author = row[reply_author_column].id<account_id>(),
                  .created_at = row[created_at_column].time(),
                  .edited_at = row[edited_at_column].optional_time()},
          .author = row[author_name_column].text(),
          .reply_to_uri = reply_uri_of(row, urls)};
}

/// Fills in one part of the posts `ids`: calls `add` with each row, whose first column is the post.
template <class Add>
caf::error attach(database& db, note_table& notes, std::span<const post_id> ids,
                  std::string_view before, std::string_view after, const Add& add) {
  if (ids.empty())
    return {};
  auto values = std::vector<sql_value>{};
  append_ids(values, ids);
  const auto sql = std::string{before} + "(" + parameters(1, ids.size()) + ")" + std::string{after};
  const auto found = db.run(sql, values);
  if (!found)
    return found.error();
  for (const auto& row : found->rows)
    if (const auto note = notes.find(row[0].id<post_id>()); note != notes.end())
      add(note->second, row);
  return {};
}

/// "@name@host", or "@name@host:port" where the port is not the scheme's own.
std::string handle_of(const std::string& name, const std::string& host, const std::string& scheme,
                      std::int64_t port) {
  const auto usual = scheme == "http" ? 80 : 443;
  return "@" + name + "@" + host + (port == usual ? "" : ":" + std::to_string(port));
}

caf::error attach_mentions(database& db, note_table& notes, std::span<const post_id> ids,
                           const url_space& urls) {
  const auto own_domain = urls.origin.substr(urls.origin.find("://") + 3);
  const auto add = [&](outgoing_note& note, const sql_row& row) {
    const auto name = row[1].text();
    if (row[3].is_null())
      note.mentions.push_back({.uri = urls.actor(name), .handle = "@" + name + "@" + own_domain});
    else
      note.mentions.push_back(
          {.uri = row[2].text(),
           .handle = handle_of(name, row[3].text(), row[4].text(), row[5].integer())});
  };
  return attach(db, notes, ids,
                "SELECT m.post_id, a.name, a.uri, h.name, h.scheme, h.port FROM mention m"
                " JOIN account a ON a.id = m.account_id LEFT JOIN host h ON h.id = a.host_id"
                " WHERE m.post_id IN ",
                " ORDER BY a.id", add);
}

caf::error attach_lists(database& db, note_table& notes, const parted_notes& parted,
                        const url_space& urls) {
  if (auto failure = attach_mentions(db, notes, parted.naming, urls))
    return failure;
  if (auto failure = attach(db, notes, parted.tagged,
                            "SELECT l.post_id, t.name FROM post_tag l JOIN tag t ON t.id = l.tag_id"
                            " WHERE l.post_id IN ",
                            " ORDER BY t.folded", [](outgoing_note& note, const sql_row& row) {
                              note.tags.push_back(row[1].text());
                            }))
    return failure;
  return attach(db, notes, parted.with_media,
                "SELECT post_id, url, media_type, description FROM medium WHERE post_id IN ",
                " ORDER BY id", [](outgoing_note& note, const sql_row& row) {
                  note.media.push_back({.url = row[1].text(),
                                        .media_type = row[2].text(),
                                        .description = row[3].text()});
                });
}

caf::error attach_polls(database& db, note_table& notes, std::span<const post_id> ids,
                        time_point now) {
  auto open_count = std::vector<post_id>{};
  const auto start = [&](outgoing_note& note, const sql_row& row) {
    auto& poll = note.poll.emplace();
    poll.options = read_json_texts(row[1].text());
    poll.votes.resize(poll.options.size());
    poll.multiple = row[2].flag();
    poll.ends_at = row[4].optional_time();
    poll.ended = poll.ends_at && *poll.ends_at <= now;
    poll.voters = row[5].integer();
    const auto hides = row[3].flag() && !poll.ended;
    if (!hides)
      open_count.push_back(note.row.id);
  };
  if (auto failure = attach(db, notes, ids,
                            "SELECT post_id, options, multiple, hide_totals, expires_at,"
                            " (SELECT COUNT(DISTINCT v.account_id) FROM poll_vote v"
                            " WHERE v.post_id = poll.post_id) FROM poll WHERE post_id IN ",
                            "", start))
    return failure;
  const auto count = [](outgoing_note& note, const sql_row& row) {
    const auto choice = static_cast<std::size_t>(row[1].integer());
    if (note.poll && choice < note.poll->votes.size())
      note.poll->votes[choice] = row[2].integer();
  };
  return attach(db, notes, open_count,
                "SELECT post_id, choice, COUNT(*) FROM poll_vote WHERE post_id IN ",
                " GROUP BY post_id, choice", count);
}

constexpr auto actor_columns =
    "SELECT a.id, a.name, a.display_name, a.note, a.fields, a.public_key, a.locked, a.bot,"
    " a.discoverable, a.aliases, a.created_at, a.deleted_at, m.uri, m.host_id, m.name"
    " FROM account a LEFT JOIN account m ON m.id = a.moved_to WHERE a.host_id IS NULL AND ";

caf::expected<local_actor> read_actor(const caf::expected<sql_result>& found,
                                      const url_space& urls) {
  if (!found)
    return found.error();
  if (found->rows.empty())
    return make_error(errc::not_found, "Record not found");
  const auto& row = found->rows.front();
  if (!row[11].is_null())
    return make_error(errc::gone, "This account was deleted");
  auto actor = local_actor{.id = row[0].id<account_id>(),
                           .document = {.name = row[1].text(),
                                        .display_name = row[2].text(),
                                        .note_html = to_html(row[3].text()),
                                        .fields_json = row[4].text(),
                                        .public_key_pem = row[5].text(),
                                        .locked = row[6].flag(),
                                        .bot = row[7].flag(),
                                        .discoverable = row[8].flag(),
                                        .aliases = read_json_texts(row[9].text()),
                                        .created_at = row[10].time()}};
  if (!row[12].is_null())
    actor.document.moved_to = row[13].is_null() ? urls.actor(row[14].text()) : row[12].text();
  return actor;
}

} // namespace

caf::expected<std::vector<outgoing_note>> load_outgoing_notes(database& db,
                                                              std::span<const post_id> ids,
                                                              const url_space& urls,
                                                              time_point now) {
  auto ordered = std::vector<outgoing_note>{};
  if (ids.empty())
    return ordered;
  auto values = std::vector<sql_value>{};
  append_ids(values, ids);
  const auto found = db.run(note_columns + parameters(1, ids.size()) + ")", values);
  if (!found)
    return found.error();
  auto notes = note_table{};
  auto parted = parted_notes{};
  for (const auto& row : found->rows) {
    const auto id = row[id_column].id<post_id>();
    notes.emplace(id, read_note(row, urls));
    if (row[mentions_column].flag())
      parted.naming.push_back(id);
    if (row[tags_column].flag())
      parted.tagged.push_back(id);
    if (row[media_column].flag())
      parted.with_media.push_back(id);
    if (row[poll_column].flag())
      parted.with_poll.push_back(id);
  }
  if (auto failure = attach_lists(db, notes, parted, urls))
    return failure;
  if (auto failure = attach_polls(db, notes, parted.with_poll, now))
    return failure;
  for (const auto id : ids)
    if (const auto note = notes.find(id); note != notes.end())
      ordered.push_back(note->second);
  return ordered;
}

caf::expected<outgoing_note> load_outgoing_note(database& db, post_id id, const url_space& urls,
                                                time_point now) {
  auto notes = load_outgoing_notes(db, std::span{&id, 1}, urls, now);
  if (!notes)
    return std::move(notes.error());
  if (notes->empty())
    return make_error(errc::not_found, "Record not found");
  return std::move(notes->front());
}

caf::expected<local_actor> load_local_actor(database& db, const std::string& name,
                                            const url_space& urls) {
  return read_actor(db.run(std::string{actor_columns} + "a.folded = $1", {fold_name(name)}), urls);
}

caf::expected<local_actor> load_local_actor(database& db, account_id id, const url_space& urls) {
  return read_actor(db.run(std::string{actor_columns} + "a.id = $1", {id}), urls);
}

} // namespace trunkline
