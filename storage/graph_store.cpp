#include "storage/graph_store.hpp"

#include "storage/audience_store.hpp"
#include "storage/shown_host.hpp"

namespace trunkline {

namespace {

/// The options of a follow as they are stored.
struct follow_row {
  bool accepted = true;
  bool show_boosts = true;
  bool notify = false;
  std::string languages;
};

std::string join(const std::vector<std::string>& languages) {
  auto text = std::string{};
  for (const auto& language : languages)
    text.append(text.empty() ? "" : ",").append(language);
  return text;
}

follow_row with(follow_row row, const follow_options& options) {
  row.show_boosts = options.show_boosts.value_or(row.show_boosts);
  row.notify = options.notify.value_or(row.notify);
  if (options.languages)
    row.languages = join(*options.languages);
  return row;
}

bool differ(const follow_row& one, const follow_row& other) {
  return one.show_boosts != other.show_boosts || one.notify != other.notify ||
         one.languages != other.languages;
}

/// Where a remote follower is reached, also one that is deleted by now; 0 for one of ours.
caf::expected<endpoint_id> follower_endpoint(database& db, account_id follower) {
  auto found = db.run("SELECT COALESCE(shared_inbox_id, inbox_id) FROM account"
                      " WHERE id = $1 AND host_id IS NOT NULL",
                      {follower});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? endpoint_id{} : found->rows[0][0].id<endpoint_id>();
}

/// Counts the follower that an edge brings or takes.
caf::error count_follower(database& db, const follow_edge& edge, int change) {
  const auto via = follower_endpoint(db, edge.follower);
  if (!via)
    return via.error();
  if (!*via)
    return {};
  return change > 0 ? add_follower(db, edge.followee, *via)
                    : remove_follower(db, edge.followee, *via);
}

caf::expected<std::optional<follow_row>> read_follow(database& db, const follow_edge& edge) {
  auto found = db.run("SELECT accepted, show_boosts, notify, languages FROM follow"
                      " WHERE follower = $1 AND followee = $2",
                      {edge.follower, edge.followee});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<follow_row>{};
  const auto& row = found->rows[0];
  return std::optional{follow_row{row[0].flag(), row[1].flag(), row[2].flag(), row[3].text()}};
}

caf::expected<follow_change> insert_follow(database& db, const follow_edge& edge,
                                           const follow_row& row, const std::string& uri,
                                           time_point now) {
  auto made = db.run("INSERT INTO follow(follower, followee, at, accepted, show_boosts, notify,"
                     " languages, uri) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                     {edge.follower, edge.followee, now, row.accepted, row.show_boosts, row.notify,
                      row.languages, uri});
  if (!made)
    return std::move(made.error());
  if (!row.accepted)
    return follow_change::requested;
  if (auto failure = count_follower(db, edge, 1))
    return failure;
  return follow_change::followed;
}

caf::expected<follow_change> update_follow(database& db, const follow_edge& edge,
                                           const follow_row& row) {
  auto changed = db.run("UPDATE follow SET show_boosts = $3, notify = $4, languages = $5"
                        " WHERE follower = $1 AND followee = $2",
                        {edge.follower, edge.followee, row.show_boosts, row.notify, row.languages});
  if (!changed)
    return std::move(changed.error());
  return row.accepted ? follow_change::changed : follow_change::asked_anew;
}

caf::expected<bool> has_written(caf::expected<sql_result> result) {
  if (!result)
    return std::move(result.error());
  return result->rows_written > 0;
}

} // namespace

caf::expected<std::optional<account_facts>> find_account_facts(database& db, account_id id) {
  auto found = db.run("SELECT name, host_id, locked, disabled_at, suspended_at FROM account"
                      " WHERE id = $1 AND deleted_at IS NULL",
                      {id});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<account_facts>{};
  const auto& row = found->rows[0];
  return std::optional{account_facts{.id = id,
                                     .name = row[0].text(),
                                     .is_local = row[1].is_null(),
                                     .locked = row[2].flag(),
                                     .disabled = !row[3].is_null(),
                                     .suspended = !row[4].is_null()}};
}

caf::expected<std::optional<account_reach>> find_named(database& db, const std::string& folded_name,
                                                       const std::string& host) {
  const auto place = split_host(host);
  auto found = host.empty()
                   ? db.run("SELECT id, name, uri FROM account WHERE folded = $1"
                            " AND host_id IS NULL AND deleted_at IS NULL",
                            {folded_name})
                   : db.run("SELECT a.id, a.name, a.uri, a.inbox_id, a.shared_inbox_id FROM host h"
                            " JOIN account a ON a.host_id = h.id AND a.folded = $1"
                            " WHERE h.name = $2 AND ($3 = 0 OR h.port = $3)"
                            " AND a.deleted_at IS NULL ORDER BY a.id LIMIT 1",
                            {folded_name, place.name, place.port});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<account_reach>{};
  const auto& row = found->rows[0];
  auto named = account_reach{.id = row[0].id<account_id>(),
                             .name = row[1].text(),
                             .domain = place.name,
                             .uri = row[2].text()};
  if (!host.empty()) {
    named.inbox = row[3].id<endpoint_id>();
    named.shared_inbox = row[4].id<endpoint_id>();
  }
  return std::optional{std::move(named)};
}

caf::expected<std::optional<stored_follow>> find_follow(database& db, const follow_edge& edge) {
  auto found = db.run("SELECT accepted, uri FROM follow WHERE follower = $1 AND followee = $2",
                      {edge.follower, edge.followee});
  if (!found)
    return std::move(found.error());
  if (found->rows.empty())
    return std::optional<stored_follow>{};
  return std::optional{stored_follow{found->rows[0][0].flag(), found->rows[0][1].text()}};
}

caf::expected<follow_change> store_follow(database& db, const follow_edge& edge,
                                          const follow_options& options, bool accepted,
                                          const std::string& uri, time_point now) {
  auto known = read_follow(db, edge);
  if (!known)
    return std::move(known.error());
  if (!*known)
    return insert_follow(db, edge, with({.accepted = accepted}, options), uri, now);
  const auto wanted = with(**known, options);
  return differ(wanted, **known) ? update_follow(db, edge, wanted) : follow_change::none;
}

caf::expected<bool> accept_follow(database& db, const follow_edge& edge) {
  auto accepted = has_written(db.run("UPDATE follow SET accepted = 1 WHERE follower = $1"
                                     " AND followee = $2 AND accepted = 0",
                                     {edge.follower, edge.followee}));
  if (!accepted || !*accepted)
    return accepted;
  if (auto failure = count_follower(db, edge, 1))
    return failure;
  return true;
}

caf::expected<follow_end> erase_follow(database& db, const follow_edge& edge) {
  auto erased = db.run("DELETE FROM follow WHERE follower = $1 AND followee = $2"
                       " RETURNING accepted",
                       {edge.follower, edge.followee});
  if (!erased)
    return std::move(erased.error());
  if (erased->rows.empty())
    return follow_end::none;
  if (!erased->rows[0][0].flag())
    return follow_end::withdrawn;
  if (auto failure = count_follower(db, edge, -1))
    return failure;
  return follow_end::unfollow;
}

caf::expected<bool> is_blocked_either_way(database& db, account_id one, account_id other) {
  auto found = db.run("SELECT blocker FROM block WHERE (blocker = $1 AND blocked = $2)"
                      " OR (blocker = $2 AND blocked = $1)",
                      {one, other});
  if (!found)
    return std::move(found.error());
  return !found->rows.empty();
}

caf::expected<bool> store_block(database& db, account_id blocker, account_id blocked,
                                time_point now, const std::string& uri) {
  return has_written(db.run("INSERT INTO block(blocker, blocked, at, uri) VALUES ($1, $2, $3, $4)"
                            " ON CONFLICT DO NOTHING",
                            {blocker, blocked, now, uri}));
}

caf::expected<std::string> block_uri(database& db, account_id blocker, account_id blocked) {
  auto found =
      db.run("SELECT uri FROM block WHERE blocker = $1 AND blocked = $2", {blocker, blocked});
  if (!found)
    return std::move(found.error());
  return found->rows.empty() ? std::string{} : found->rows[0][0].text();
}

caf::expected<bool> erase_block(database& db, account_id blocker, account_id blocked) {
  return has_written(
      db.run("DELETE FROM block WHERE blocker = $1 AND blocked = $2", {blocker, blocked}));
}

caf::expected<bool> store_mute(database& db, account_id muter, account_id muted,
                               const mute_options& options, time_point now) {
  const auto until = options.duration ? sql_value{now + *options.duration} : sql_value{};
  // COALESCE, for the two databases share no equality that takes NULL as a value.
  return has_written(
      db.run("INSERT INTO mute(muter, muted, at, notifications, expires_at)"
             " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (muter, muted) DO UPDATE SET"
             " notifications = excluded.notifications, expires_at = excluded.expires_at"
             " WHERE mute.notifications <> excluded.notifications"
             " OR COALESCE(mute.expires_at, 0) <> COALESCE(excluded.expires_at, 0)",
             {muter, muted, now, options.notifications, until}));
}

caf::expected<bool> erase_mute(database& db, account_id muter, account_id muted) {
  return has_written(db.run("DELETE FROM mute WHERE muter = $1 AND muted = $2", {muter, muted}));
}

} // namespace trunkline
