#include "protocol/names.hpp"
#include "storage/count_store.hpp"
#include "storage/shown_host.hpp"
#include "storage/sql_list.hpp"
#include "storage/view_store.hpp"

#include <unordered_map>

namespace trunkline {

namespace {

const auto account_columns =
    "SELECT a.id, a.name, " + std::string{shown_host} +
    ", a.uri, a.display_name, a.note, a.fields, a.locked, a.bot, a.discoverable, a.role,"
    " a.created_at, a.url, a.avatar_url, a.header_url, a.emojis";

constexpr auto account_tables = " FROM account a LEFT JOIN host h ON h.id = a.host_id"
                                " WHERE a.deleted_at IS NULL AND a.id IN (";

account_view read_account(const sql_row& row) {
  return {.id = row[0].id<account_id>(),
          .name = row[1].text(),
          .domain = row[2].is_null() ? "" : row[2].text(),
          .uri = row[3].text(),
          .page = row[12].text(),
          .display_name = row[4].text(),
          .note = row[5].text(),
          .fields_json = row[6].text(),
          .avatar_url = row[13].text(),
          .header_url = row[14].text(),
          .emojis_json = row[15].text(),
          .locked = row[7].flag(),
          .bot = row[8].flag(),
          .discoverable = row[9].flag(),
          .role = row[10].integer() == 1 ? account_role::admin : account_role::user,
          .created_at = row[11].time()};
}

void set_counts(account_view& account, const account_counts& counts) {
  account.followers = counts.followers;
  account.following = counts.following;
  account.posts = counts.posts;
  account.last_post_at = counts.last_post_at;
}

std::vector<std::string> split_languages(const std::string& text) {
  auto languages = std::vector<std::string>{};
  for (auto start = std::size_t{0}; start < text.size();) {
    const auto end = std::min(text.find_first_of(", ", start), text.size());
    if (end > start)
      languages.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return languages;
}

constexpr auto relation_columns =
    "SELECT a.id, f.accepted, f.show_boosts, f.notify, f.languages, g.accepted, b.at, c.at, m.at,"
    " m.notifications, m.expires_at, d.at FROM account a"
    " LEFT JOIN follow f ON f.follower = $1 AND f.followee = a.id"
    " LEFT JOIN follow g ON g.follower = a.id AND g.followee = $1"
    " LEFT JOIN block b ON b.blocker = $1 AND b.blocked = a.id"
    " LEFT JOIN block c ON c.blocker = a.id AND c.blocked = $1"
    " LEFT JOIN mute m ON m.muter = $1 AND m.muted = a.id"
    " AND (m.expires_at IS NULL OR m.expires_at > $2)"
    " LEFT JOIN host h ON h.id = a.host_id"
    " LEFT JOIN domain_block d ON d.account_id = $1 AND d.host = h.name"
    " WHERE a.deleted_at IS NULL AND a.id IN (";

relation_view read_relation(const sql_row& row) {
  auto relation = relation_view{.target = row[0].id<account_id>()};
  const auto accepted = row[1].flag();
  relation.following = accepted;
  relation.requested = !row[1].is_null() && !accepted;
  relation.show_boosts = accepted && row[2].flag();
  relation.notifying = accepted && row[3].flag();
  if (!row[4].is_null())
    relation.languages = split_languages(row[4].text());
  relation.followed_by = row[5].flag();
  relation.requested_by = !row[5].is_null() && !relation.followed_by;
  relation.blocking = !row[6].is_null();
  relation.blocked_by = !row[7].is_null();
  relation.muting = !row[8].is_null();
  relation.muting_notifications = relation.muting && row[9].flag();
  relation.muting_ends = row[10].optional_time();
  relation.blocking_domain = !row[11].is_null();
  return relation;
}

caf::error add_counts(database& db, std::vector<account_view>& accounts, known_counts* known) {
  auto ids = std::vector<account_id>{};
  for (const auto& account : accounts)
    ids.push_back(account.id);
  auto counts = load_counts(db, ids, known);
  if (!counts)
    return std::move(counts.error());
  // An account that is gone between the two statements keeps counts of 0.
  for (auto& account : accounts)
    set_counts(account, (*counts)[account.id]);
  return {};
}

/// Hosts are stored in their ASCII form; people write them as they please.
addressed_host known_as(const std::string& domain) {
  auto host = split_host(fold_name(domain));
  if (auto canonical = canonical_host(host.name))
    host.name = std::move(*canonical);
  return host;
}

} // namespace

caf::expected<std::vector<account_view>>
load_accounts(database& db, std::span<const account_id> ids, known_counts* counts) {
  auto accounts = std::vector<account_view>{};
  if (ids.empty())
    return accounts;
  auto values = std::vector<sql_value>{};
  append_ids(values, ids);
  const auto found = db.run(
      std::string{account_columns} + account_tables + parameters(1, ids.size()) + ")", values);
  if (!found)
    return found.error();
  auto by_id = std::unordered_map<account_id, account_view>{};
  for (const auto& row : found->rows)
    by_id.emplace(row[0].id<account_id>(), read_account(row));
  for (const auto id : ids)
    if (const auto account = by_id.find(id); account != by_id.end())
      accounts.push_back(account->second);
  if (auto failure = add_counts(db, accounts, counts))
    return failure;
  return accounts;
}

caf::expected<account_view> load_account(database& db, account_id id, known_counts* counts) {
  auto accounts = load_accounts(db, std::span{&id, 1}, counts);
  if (!accounts)
    return accounts.error();
  if (accounts->empty())
    return make_error(errc::not_found, "Record not found");
  return std::move(accounts->front());
}

caf::expected<post_defaults> load_post_defaults(database& db, account_id id) {
  const auto found = db.run("SELECT default_visibility, default_sensitive, default_language"
                            " FROM account WHERE id = $1 AND deleted_at IS NULL",
                            {id});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return make_error(errc::not_found, "Record not found");
  const auto& row = found->rows.front();
  return post_defaults{.seen_by = static_cast<visibility>(row[0].integer()),
                       .sensitive = row[1].flag(),
                       .language = row[2].text()};
}

caf::expected<own_account_view> load_own_account(database& db, account_id id,
                                                 known_counts* counts) {
  auto shown = load_account(db, id, counts);
  if (!shown)
    return shown.error();
  auto defaults = load_post_defaults(db, id);
  if (!defaults)
    return defaults.error();
  const auto waiting =
      db.run("SELECT COUNT(*) FROM follow WHERE followee = $1 AND accepted = 0", {id});
  if (!waiting)
    return waiting.error();
  return own_account_view{.shown = std::move(*shown),
                          .defaults = std::move(*defaults),
                          .follow_requests = waiting->rows.front()[0].integer()};
}

caf::expected<account_id> find_account(database& db, const std::string& name,
                                       const std::string& domain) {
  const auto host = known_as(domain);
  auto found = domain.empty()
                   ? db.run("SELECT id FROM account WHERE host_id IS NULL AND folded = $1"
                            " AND deleted_at IS NULL",
                            {fold_name(name)})
                   : db.run("SELECT a.id FROM account a JOIN host h ON h.id = a.host_id"
                            " WHERE h.name = $1 AND ($2 = 0 OR h.port = $2) AND a.folded = $3"
                            " AND a.deleted_at IS NULL ORDER BY a.id LIMIT 1",
                            {host.name, host.port, fold_name(name)});
  if (!found)
    return found.error();
  if (found->rows.empty())
    return make_error(errc::not_found, "Record not found");
  return found->rows.front()[0].id<account_id>();
}

caf::expected<std::vector<relation_view>> load_relations(database& db, account_id viewer,
                                                         std::span<const account_id> targets,
                                                         time_point now) {
  auto relations = std::vector<relation_view>{};
  if (targets.empty())
    return relations;
  auto values = std::vector<sql_value>{viewer, now};
  append_ids(values, targets);
  const auto found = db.run(relation_columns + parameters(3, targets.size()) + ")", values);
  if (!found)
    return found.error();
  auto by_id = std::unordered_map<account_id, relation_view>{};
  for (const auto& row : found->rows)
    by_id.emplace(row[0].id<account_id>(), read_relation(row));
  for (const auto id : targets)
    if (const auto relation = by_id.find(id); relation != by_id.end())
      relations.push_back(relation->second);
  return relations;
}

caf::expected<server_figures> load_figures(database& db, time_point now) {
  const auto found =
      db.run("SELECT (SELECT COUNT(*) FROM account WHERE host_id IS NULL AND deleted_at IS NULL),"
             " (SELECT COUNT(*) FROM post p JOIN account a ON a.id = p.author"
             " WHERE a.host_id IS NULL AND p.boost_of IS NULL),"
             " (SELECT COUNT(DISTINCT name) FROM host),"
             " (SELECT COUNT(*) FROM account a WHERE a.host_id IS NULL AND a.deleted_at IS NULL AND"
             " EXISTS (SELECT 1 FROM post p WHERE p.author = a.id AND p.created_at > $1)),"
             " (SELECT COUNT(*) FROM account a WHERE a.host_id IS NULL AND a.deleted_at IS NULL AND"
             " EXISTS (SELECT 1 FROM post p WHERE p.author = a.id AND p.created_at > $2))",
             {now - std::chrono::days{30}, now - std::chrono::days{180}});
  if (!found)
    return found.error();
  const auto& row = found->rows.front();
  return server_figures{.accounts = row[0].integer(),
                        .posts = row[1].integer(),
                        .domains = row[2].integer(),
                        .active_month = row[3].integer(),
                        .active_half_year = row[4].integer()};
}

caf::expected<std::vector<account_id>> find_first_admin(database& db) {
  const auto found = db.run("SELECT id FROM account WHERE role = 1 AND host_id IS NULL"
                            " AND deleted_at IS NULL AND disabled_at IS NULL ORDER BY id LIMIT 1");
  if (!found)
    return found.error();
  auto ids = std::vector<account_id>{};
  for (const auto& row : found->rows)
    ids.push_back(row[0].id<account_id>());
  return ids;
}

caf::expected<std::vector<std::string>> list_peers(database& db) {
  const auto found = db.run("SELECT DISTINCT name FROM host ORDER BY name LIMIT 10000");
  if (!found)
    return found.error();
  auto names = std::vector<std::string>{};
  for (const auto& row : found->rows)
    names.push_back(row[0].text());
  return names;
}

} // namespace trunkline
