#include "storage/event_views.hpp"

#include "storage/shown_host.hpp"
#include "storage/sql_list.hpp"

#include <cassert>

namespace trunkline {

namespace {

constexpr std::size_t edges_max = 500;

std::string address_of(const sql_value& name, const sql_value& host) {
  return host.is_null() ? name.text() : name.text() + "@" + host.text();
}

caf::error add_mentions(database& db, told_posts& posts, const std::vector<post_id>& naming) {
  if (naming.empty())
    return {};
  auto values = std::vector<sql_value>{};
  append_ids(values, std::span{naming});
  const auto found = db.run("SELECT m.post_id, a.name, " + std::string{shown_host} +
                                " FROM mention m JOIN account a ON a.id = m.account_id"
                                " LEFT JOIN host h ON h.id = a.host_id WHERE m.post_id IN (" +
                                parameters(1, naming.size()) + ") ORDER BY m.post_id, a.id",
                            values);
  if (!found)
    return found.error();
  for (const auto& row : found->rows)
    if (const auto post = posts.find(row[0].id<post_id>()); post != posts.end())
      post->second.mentions.push_back(address_of(row[1], row[2]));
  return {};
}

} // namespace

caf::expected<told_accounts> load_told_accounts(database& db, std::span<const account_id> ids,
                                                const url_space& urls) {
  auto accounts = told_accounts{};
  if (ids.empty())
    return accounts;
  auto values = std::vector<sql_value>{};
  append_ids(values, ids);
  const auto found = db.run("SELECT a.id, a.name, " + std::string{shown_host} +
                                ", a.uri, a.deleted_at FROM account a"
                                " LEFT JOIN host h ON h.id = a.host_id WHERE a.id IN (" +
                                parameters(1, ids.size()) + ")",
                            values);
  if (!found)
    return found.error();
  for (const auto& row : found->rows) {
    const auto is_local = row[2].is_null();
    accounts.emplace(row[0].id<account_id>(),
                     told_account{.address = address_of(row[1], row[2]),
                                  .uri = is_local ? urls.actor(row[1].text()) : row[3].text(),
                                  .local = is_local,
                                  .deleted = !row[4].is_null()});
  }
  return accounts;
}

caf::expected<told_posts> load_told_posts(database& db, std::span<const post_id> ids,
                                          const url_space& urls) {
  auto posts = told_posts{};
  if (ids.empty())
    return posts;
  auto values = std::vector<sql_value>{};
  append_ids(values, ids);
  const auto found =
      db.run("SELECT p.id, p.uri, a.name, p.html, p.spoiler, p.language, p.visibility, p.sensitive,"
             " p.reply_to, (SELECT COUNT(*) FROM mention m WHERE m.post_id = p.id)"
             " FROM post p JOIN account a ON a.id = p.author WHERE p.id IN (" +
                 parameters(1, ids.size()) + ")",
             values);
  if (!found)
    return found.error();
  auto naming = std::vector<post_id>{};
  for (const auto& row : found->rows) {
    const auto id = row[0].id<post_id>();
    posts.emplace(id,
                  told_post{.uri = row[1].is_null() ? urls.post(row[2].text(), id) : row[1].text(),
                            .html = row[3].text(),
                            .spoiler = row[4].text(),
                            .language = row[5].text(),
                            .seen_by = static_cast<visibility>(row[6].integer()),
                            .sensitive = row[7].flag(),
                            .reply_to = row[8].id<post_id>(),
                            .mentions = {}});
    if (row[9].flag())
      naming.push_back(id);
  }
  if (auto failure = add_mentions(db, posts, naming))
    return failure;
  return posts;
}

caf::expected<follow_times> load_follow_times(database& db, std::span<const follow_edge> edges) {
  assert(edges.size() <= edges_max);
  auto times = follow_times{};
  if (edges.empty())
    return times;
  auto values = std::vector<sql_value>{};
  auto wanted = std::string{};
  for (const auto& edge : edges) {
    const auto at = std::to_string(values.size() + 1);
    const auto next = std::to_string(values.size() + 2);
    wanted += (wanted.empty() ? "" : " OR ");
    wanted += "(follower = $" + at + " AND followee = $" + next + ")";
    values.emplace_back(edge.follower);
    values.emplace_back(edge.followee);
  }
  const auto found = db.run("SELECT follower, followee, at FROM follow WHERE " + wanted, values);
  if (!found)
    return found.error();
  for (const auto& row : found->rows)
    times.emplace(std::pair{row[0].id<account_id>(), row[1].id<account_id>()}, row[2].time());
  return times;
}

} // namespace trunkline
