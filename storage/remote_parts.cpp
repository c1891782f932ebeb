#include "storage/remote_parts.hpp"

#include "protocol/views.hpp"
#include "storage/remote_json.hpp"

#include <algorithm>
#include <string_view>

namespace trunkline {

namespace {

/// By what the sender says of it: nothing is fetched to look.
medium_kind kind_of(std::string_view media_type) {
  if (media_type.starts_with("image/"))
    return medium_kind::image;
  if (media_type.starts_with("video/"))
    return medium_kind::video;
  if (media_type.starts_with("audio/"))
    return medium_kind::audio;
  return medium_kind::unknown;
}

/// The columns of a poll as its server tells them.
struct poll_row {
  std::string options;
  std::string votes;
  bool multiple = false;
  std::optional<time_point> expires_at;
  std::int64_t voters = 0;
};

poll_row row_of(const remote_poll& poll, time_point now) {
  auto names = std::vector<std::string>{};
  auto votes = std::vector<std::int64_t>{};
  for (const auto& option : poll.options) {
    names.push_back(option.name);
    votes.push_back(option.votes);
  }
  auto row = poll_row{.options = to_json_texts(names),
                      .votes = to_json_numbers(votes),
                      .multiple = poll.multiple,
                      .expires_at = poll.ends_at,
                      .voters = std::max<std::int64_t>(poll.voters, 0)};
  if (poll.closed)
    row.expires_at = std::min(poll.ends_at.value_or(now), now);
  return row;
}

caf::expected<std::string> options_of(database& db, post_id id) {
  auto found = db.run("SELECT options FROM poll WHERE post_id = $1", {id});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? std::string{} : found->rows[0][0].text();
}

caf::error replace_poll(database& db, post_id id, const remote_poll& poll, time_point now) {
  for (const auto* sql :
       {"DELETE FROM poll_vote WHERE post_id = $1", "DELETE FROM poll WHERE post_id = $1"})
    if (auto failure = error_of(db.run(sql, {id})))
      return failure;
  return insert_poll(db, id, poll, now);
}

} // namespace

caf::error insert_media(database& db, const post& row, std::span<const note_attachment> media,
                        const fresh_id_source& ids) {
  for (const auto& medium : media) {
    const auto url = web_address(medium.url);
    if (url.empty())
      continue;
    const auto id = ids();
    if (!id)
      return id.error();
    auto added = db.run("INSERT INTO medium(id, author, post_id, kind, url, description,"
                        " created_at, media_type) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                        {*id, row.author, row.id, static_cast<int>(kind_of(medium.media_type)), url,
                         medium.description, row.created_at, medium.media_type});
    if (!added)
      return std::move(added.error());
  }
  return {};
}

caf::error erase_media(database& db, post_id id) {
  return error_of(db.run("DELETE FROM medium WHERE post_id = $1", {id}));
}

caf::error insert_poll(database& db, post_id id, const remote_poll& poll, time_point now) {
  const auto row = row_of(poll, now);
  return error_of(db.run("INSERT INTO poll(post_id, options, multiple, hide_totals, expires_at,"
                         " remote_votes, remote_voters) VALUES ($1, $2, $3, 0, $4, $5, $6)",
                         {id, row.options, row.multiple, row.expires_at, row.votes, row.voters}));
}

caf::expected<bool> update_poll(database& db, post_id id, const remote_poll& poll, bool edited,
                                time_point now) {
  const auto before = options_of(db, id);
  if (!before)
    return before.error();
  const auto row = row_of(poll, now);
  if (*before != row.options) {
    if (!edited)
      return false;
    if (auto failure = replace_poll(db, id, poll, now))
      return failure;
    return true;
  }
  const auto ends = row.expires_at ? to_micros(*row.expires_at) : std::int64_t{0};
  auto counted = db.run("UPDATE poll SET remote_votes = $2, remote_voters = $3, expires_at = $4"
                        " WHERE post_id = $1 AND (remote_votes <> $2 OR remote_voters <> $3"
                        " OR COALESCE(expires_at, 0) <> $5)",
                        {id, row.votes, row.voters, row.expires_at, ends});
  if (!counted)
    return std::move(counted.error());
  return counted->rows_written > 0;
}

} // namespace trunkline
