#include "storage/domain_block_store.hpp"

#include "storage/sql_list.hpp"

namespace trunkline {

namespace {

/// Accounts of `$1` and its subdomains; `host` is the name of the table of hosts.
constexpr std::string_view accounts_of_host =
    "(SELECT a.id FROM host h JOIN account a ON a.host_id = h.id WHERE h.name = CAST($1 AS TEXT)"
    " OR (length(h.name) > length(CAST($1 AS TEXT)) AND substr(h.name, length(h.name)"
    " - length(CAST($1 AS TEXT))) = '.' || CAST($1 AS TEXT)))";

caf::expected<bool> has_written(caf::expected<sql_result> result) {
  if (!result)
    return std::move(result.error());
  return result->rows_written > 0;
}

/// "a.b.c", "b.c", "c"
std::vector<sql_value> with_domains_above(std::string_view host) {
  auto names = std::vector<sql_value>{};
  while (!host.empty()) {
    names.emplace_back(host);
    const auto dot = host.find('.');
    host = dot == std::string_view::npos ? std::string_view{} : host.substr(dot + 1);
  }
  return names;
}

caf::error append_follows(database& db, const std::string& sql, std::vector<sql_value> values,
                          std::vector<ended_follow>& out) {
  const auto found = db.run(sql, values);
  if (!found)
    return found.error();
  for (const auto& row : found->rows)
    out.push_back({.edge = {row[0].id<account_id>(), row[1].id<account_id>()},
                   .was_accepted = row[2].flag(),
                   .uri = row[3].text()});
  return {};
}

/// Finds at most `$2` follows whose `far` side is at the host and whose `near` side is the owner.
caf::error find_follows(database& db, const std::string& near, const std::string& far,
                        account_id owner, const std::string& host, std::int64_t limit,
                        std::vector<ended_follow>& out) {
  auto sql = "SELECT f.follower, f.followee, f.accepted, f.uri FROM follow f WHERE f." + far +
             " IN " + std::string{accounts_of_host};
  auto values = std::vector<sql_value>{host, limit - std::ssize(out)};
  if (owner) {
    sql += " AND f." + near + " = $3";
    values.emplace_back(owner);
  }
  return append_follows(db, sql + " ORDER BY f.follower, f.followee LIMIT $2", values, out);
}

} // namespace

caf::expected<bool> store_domain_block(database& db, const domain_block_row& row) {
  return has_written(
      db.run("INSERT INTO domain_block(account_id, host, at, severity, reason)"
             " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id, host) DO UPDATE SET"
             " severity = excluded.severity, reason = excluded.reason"
             " WHERE domain_block.severity <> excluded.severity"
             " OR domain_block.reason <> excluded.reason",
             {row.owner, row.host, row.at, static_cast<std::int64_t>(row.severity), row.reason}));
}

caf::expected<bool> erase_domain_block(database& db, account_id owner, const std::string& host) {
  return has_written(
      db.run("DELETE FROM domain_block WHERE account_id = $1 AND host = $2", {owner, host}));
}

caf::expected<std::vector<domain_block_row>>
list_domain_blocks(database& db, account_id owner, const std::string& after, std::int64_t limit) {
  const auto found = db.run("SELECT host, at, severity, reason FROM domain_block"
                            " WHERE account_id = $1 AND host > $2 ORDER BY host LIMIT $3",
                            {owner, after, limit});
  if (!found)
    return found.error();
  auto blocks = std::vector<domain_block_row>{};
  for (const auto& row : found->rows)
    blocks.push_back({.owner = owner,
                      .host = row[0].text(),
                      .severity = static_cast<domain_severity>(row[2].integer()),
                      .reason = row[3].text(),
                      .at = row[1].time()});
  return blocks;
}

caf::expected<bool> is_domain_blocked(database& db, account_id owner, const std::string& host) {
  auto values = with_domains_above(host);
  if (values.empty())
    return false;
  const auto hosts = parameters(1, values.size());
  values.emplace_back(owner);
  values.emplace_back(static_cast<std::int64_t>(domain_severity::suspend));
  const auto found = db.run("SELECT 1 FROM domain_block WHERE host IN (" + hosts +
                                ") AND account_id IN (0, $" + std::to_string(values.size() - 1) +
                                ") AND severity = $" + std::to_string(values.size()) + " LIMIT 1",
                            values);
  if (!found)
    return found.error();
  return !found->rows.empty();
}

caf::expected<std::vector<ended_follow>>
end_follows_with(database& db, account_id owner, const std::string& host, std::int64_t limit) {
  auto ended = std::vector<ended_follow>{};
  if (auto failure = find_follows(db, "followee", "follower", owner, host, limit, ended))
    return failure;
  if (std::ssize(ended) < limit)
    if (auto failure = find_follows(db, "follower", "followee", owner, host, limit, ended))
      return failure;
  for (const auto& follow : ended)
    if (auto end = erase_follow(db, follow.edge); !end)
      return std::move(end.error());
  return ended;
}

caf::expected<std::int64_t> remove_notifications_of(database& db, account_id owner,
                                                    const std::string& host, std::int64_t limit) {
  auto removed = db.run("DELETE FROM notification WHERE id IN (SELECT n.id FROM notification n"
                        " WHERE n.account_id = $2 AND n.from_id IN " +
                            std::string{accounts_of_host} + " LIMIT $3)",
                        {host, owner, limit});
  if (!removed)
    return std::move(removed.error());
  return removed->rows_written;
}

} // namespace trunkline
