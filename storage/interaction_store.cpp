#include "storage/interaction_store.hpp"

#include "protocol/json.hpp"

#include <algorithm>

namespace trunkline {

namespace {

caf::expected<bool> has_written(caf::expected<sql_result> result) {
  if (!result)
    return std::move(result.error());
  return result->rows_written > 0;
}

caf::error refused(const char* why) {
  return make_error(errc::invalid, std::string{"Validation failed: "} + why);
}

std::vector<std::string> texts_of(const std::string& json) {
  auto texts = std::vector<std::string>{};
  const auto parsed = parse_json(json);
  if (const auto* items = parsed ? parsed->as_array() : nullptr)
    for (const auto& item : *items)
      texts.push_back(item.as_string() ? *item.as_string() : std::string{});
  return texts;
}

} // namespace

caf::expected<bool> store_favourite(database& db, account_id account, post_id post, time_point now,
                                    const std::string& uri) {
  return has_written(db.run("INSERT INTO favourite(account_id, post_id, at, uri)"
                            " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                            {account, post, now, uri}));
}

caf::expected<bool> erase_favourite(database& db, account_id account, post_id post) {
  return has_written(
      db.run("DELETE FROM favourite WHERE account_id = $1 AND post_id = $2", {account, post}));
}

caf::expected<std::string> favourite_uri(database& db, account_id account, post_id post) {
  auto found =
      db.run("SELECT uri FROM favourite WHERE account_id = $1 AND post_id = $2", {account, post});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? std::string{} : found->rows[0][0].text();
}

caf::expected<bool> store_bookmark(database& db, account_id account, post_id post, time_point now) {
  return has_written(db.run("INSERT INTO bookmark(account_id, post_id, at) VALUES ($1, $2, $3)"
                            " ON CONFLICT DO NOTHING",
                            {account, post, now}));
}

caf::expected<bool> erase_bookmark(database& db, account_id account, post_id post) {
  return has_written(
      db.run("DELETE FROM bookmark WHERE account_id = $1 AND post_id = $2", {account, post}));
}

caf::expected<bool> store_pin(database& db, account_id account, post_id post, time_point now) {
  auto known = db.run("SELECT post_id FROM pin WHERE account_id = $1", {account});
  if (!known)
    return std::move(known.error());
  const auto is_it = [post](const sql_row& row) { return row[0].id<post_id>() == post; };
  if (std::ranges::any_of(known->rows, is_it))
    return false;
  if (std::ssize(known->rows) >= pins_max)
    return refused("You have already pinned the maximum number of posts");
  return has_written(
      db.run("INSERT INTO pin(account_id, post_id, at) VALUES ($1, $2, $3)", {account, post, now}));
}

caf::expected<bool> erase_pin(database& db, account_id account, post_id post) {
  return has_written(
      db.run("DELETE FROM pin WHERE account_id = $1 AND post_id = $2", {account, post}));
}

caf::expected<poll_state> find_poll(database& db, post_id post, account_id voter, time_point now) {
  auto found = db.run("SELECT options, multiple, expires_at FROM poll WHERE post_id = $1", {post});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return make_error(errc::not_found, "Record not found");
  const auto& row = found->rows[0];
  const auto ends_at = row[2].optional_time();
  auto poll = poll_state{.options = texts_of(row[0].text()),
                         .multiple = row[1].flag(),
                         .ended = ends_at && *ends_at <= now};
  auto own = db.run("SELECT choice FROM poll_vote WHERE post_id = $1 AND account_id = $2"
                    " ORDER BY choice",
                    {post, voter});
  if (!own)
    return std::move(own.error());
  for (const auto& vote : own->rows)
    poll.own.push_back(vote[0].integer());
  return poll;
}

caf::error store_vote(database& db, post_id post, account_id voter, std::int64_t choice,
                      time_point now) {
  const auto poll = find_poll(db, post, voter, now);
  if (!poll)
    return poll.error();
  if (poll->ended)
    return refused("The poll has already ended");
  if (choice < 0 || choice >= std::ssize(poll->options))
    return refused("The chosen vote option does not exist");
  const auto is_again = std::ranges::find(poll->own, choice) != poll->own.end();
  if (is_again || (!poll->multiple && !poll->own.empty()))
    return refused("You have already voted on this poll");
  auto made = db.run("INSERT INTO poll_vote(post_id, account_id, choice) VALUES ($1, $2, $3)",
                     {post, voter, choice});
  return made ? caf::error{} : std::move(made.error());
}

} // namespace trunkline
