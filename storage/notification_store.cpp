#include "storage/notification_store.hpp"

#include "storage/domain_block_store.hpp"
#include "storage/sql_list.hpp"

#include <algorithm>
#include <string>

namespace trunkline {

namespace {

std::int64_t code(notification_kind kind) {
  return static_cast<std::int64_t>(kind);
}

/// Tells whether the owner is one of ours and wants to hear of `from`.
caf::expected<bool> is_wanted(database& db, const notification& row) {
  auto found =
      db.run("SELECT (SELECT COUNT(*) FROM account WHERE id = $1 AND host_id IS NULL"
             " AND deleted_at IS NULL),"
             " (SELECT COUNT(*) FROM block WHERE blocker = $1 AND blocked = $2),"
             " (SELECT COUNT(*) FROM mute WHERE muter = $1 AND muted = $2 AND notifications = 1"
             " AND (expires_at IS NULL OR expires_at > $3)),"
             " (SELECT h.name FROM account a JOIN host h ON h.id = a.host_id WHERE a.id = $2)",
             {row.owner, row.from, row.at});
  if (!found)
    return std::move(found.error());
  const auto& facts = found->rows[0];
  if (!facts[0].flag() || facts[1].flag() || facts[2].flag())
    return false;
  if (facts[3].is_null())
    return true;
  const auto blocked = is_domain_blocked(db, row.owner, facts[3].text());
  if (!blocked)
    return blocked.error();
  return !*blocked;
}

notification notification_of(const sql_row& row) {
  return {.id = row[0].integer(),
          .owner = row[1].id<account_id>(),
          .kind = static_cast<notification_kind>(row[2].integer()),
          .from = row[3].id<account_id>(),
          .post = row[4].id<post_id>(),
          .at = row[5].time()};
}

constexpr auto columns = "SELECT id, account_id, kind, from_id, post_id, at FROM notification"
                         " WHERE account_id = $1";

/// A statement that grows, with its values.
struct growing_statement {
  std::string sql;
  std::vector<sql_value> values;

  void add(const char* condition, sql_value value) {
    values.push_back(std::move(value));
    sql.append(condition).append(std::to_string(values.size()));
  }
  void add_kinds(const char* condition, const std::vector<notification_kind>& kinds) {
    if (kinds.empty())
      return;
    sql.append(condition).append("(").append(parameters(values.size() + 1, kinds.size())) += ')';
    for (const auto kind : kinds)
      values.emplace_back(code(kind));
  }
};

} // namespace

caf::expected<bool> add_notification(database& db, const notification& row) {
  if (row.owner == row.from)
    return false;
  const auto wanted = is_wanted(db, row);
  if (!wanted)
    return wanted.error();
  if (!*wanted)
    return false;
  if (row.kind == notification_kind::update)
    if (auto removed = remove_notification(db, row); !removed)
      return std::move(removed.error());
  auto made = db.run("INSERT INTO notification(id, account_id, kind, from_id, post_id, at)"
                     " VALUES ($1, $2, $3, $4, $5, $6)"
                     " ON CONFLICT (account_id, kind, from_id, post_id) DO NOTHING",
                     {row.id, row.owner, code(row.kind), row.from, row.post, row.at});
  if (!made)
    return std::move(made.error());
  return made->rows_written > 0;
}

caf::expected<std::int64_t> remove_notification(database& db, const notification& row) {
  auto removed = db.run("DELETE FROM notification WHERE account_id = $1 AND kind = $2"
                        " AND from_id = $3 AND post_id = $4",
                        {row.owner, code(row.kind), row.from, row.post});
  if (!removed)
    return std::move(removed.error());
  return removed->rows_written;
}

caf::error remove_notifications_about(database& db, post_id post) {
  // 0 is what the index leaves out: it stands for "about no post".
  return error_of(db.run("DELETE FROM notification WHERE post_id = $1 AND post_id <> 0", {post}));
}

caf::error remove_notifications_from(database& db, account_id owner, account_id from) {
  return error_of(
      db.run("DELETE FROM notification WHERE account_id = $1 AND from_id = $2", {owner, from}));
}

caf::expected<std::vector<notification>> list_notifications(database& db,
                                                            const notification_page& page) {
  auto wanted = growing_statement{columns, {page.owner}};
  if (page.max_id)
    wanted.add(" AND id < $", page.max_id);
  if (const auto above = std::max(page.since_id, page.min_id))
    wanted.add(" AND id > $", above);
  if (page.from)
    wanted.add(" AND from_id = $", page.from);
  wanted.add_kinds(" AND kind IN ", page.kinds);
  wanted.add_kinds(" AND kind NOT IN ", page.hidden);
  wanted.add(page.min_id ? " ORDER BY id LIMIT $" : " ORDER BY id DESC LIMIT $", page.limit);
  const auto found = db.run(wanted.sql, wanted.values);
  if (!found)
    return found.error();
  auto rows = std::vector<notification>{};
  for (const auto& row : found->rows)
    rows.push_back(notification_of(row));
  if (page.min_id)
    std::ranges::reverse(rows);
  return rows;
}

caf::expected<notification> find_notification(database& db, account_id owner, std::int64_t id) {
  const auto found = db.run(std::string{columns} + " AND id = $2", {owner, id});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return make_error(errc::not_found, "Record not found");
  return notification_of(found->rows[0]);
}

caf::error dismiss_notification(database& db, account_id owner, std::int64_t id) {
  return error_of(
      db.run("DELETE FROM notification WHERE account_id = $1 AND id = $2", {owner, id}));
}

caf::error clear_notifications(database& db, account_id owner) {
  return error_of(db.run("DELETE FROM notification WHERE account_id = $1", {owner}));
}

caf::expected<std::int64_t> count_notifications(database& db, account_id owner, std::int64_t after,
                                                std::int64_t limit) {
  const auto found = db.run("SELECT COUNT(*) FROM (SELECT id FROM notification"
                            " WHERE account_id = $1 AND id > $2 LIMIT $3) AS newest",
                            {owner, after, limit});
  if (!found)
    return found.error();
  return found->rows[0][0].integer();
}

} // namespace trunkline
