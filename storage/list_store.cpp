#include "storage/list_store.hpp"
#include "storage/shown_host.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

namespace trunkline {

namespace {

/// One list: what a statement selects up to the bounds of its key.
struct list_source {
  std::string_view select; ///< The entry's id and its key, for the subject `$1`.
  std::string_view key;
};

constexpr auto account_lists = std::to_array<list_source>({
    {"SELECT follower, follower FROM follow WHERE followee = $1 AND accepted = 1", "follower"},
    {"SELECT followee, followee FROM follow WHERE follower = $1 AND accepted = 1", "followee"},
    {"SELECT follower, follower FROM follow WHERE followee = $1 AND accepted = 0", "follower"},
    {"SELECT blocked, at FROM block WHERE blocker = $1", "at"},
    {"SELECT muted, at FROM mute WHERE muter = $1", "at"},
    {"SELECT account_id, account_id FROM favourite WHERE post_id = $1", "account_id"},
    {"SELECT author, author FROM post WHERE boost_of = $1", "author"},
});

constexpr auto post_lists = std::to_array<list_source>({
    {"SELECT post_id, at FROM favourite WHERE account_id = $1", "at"},
    {"SELECT post_id, at FROM bookmark WHERE account_id = $1", "at"},
});

caf::expected<std::vector<list_entry>> read_page(database& db, const list_source& source,
                                                 std::int64_t subject, const list_page& page) {
  const auto oldest_first = page.min_key != 0;
  const auto below = page.max_key != 0 ? page.max_key : std::numeric_limits<std::int64_t>::max();
  const auto above = std::max(page.since_key, page.min_key);
  auto sql = std::string{source.select};
  sql.append(" AND ").append(source.key).append(" < $2 AND ").append(source.key);
  sql.append(" > $3 ORDER BY ").append(source.key).append(oldest_first ? "" : " DESC");
  sql.append(" LIMIT $4");
  const auto found = db.run(sql, {subject, below, above, page.limit});
  if (!found)
    return found.error();
  auto entries = std::vector<list_entry>{};
  for (const auto& row : found->rows)
    entries.push_back({row[0].integer(), row[1].integer()});
  if (oldest_first)
    std::ranges::reverse(entries);
  return entries;
}

/// The first text after everything that begins with `prefix`.
std::string end_of_prefix(std::string prefix) {
  prefix += "\xF4\x8F\xBF\xBD"; // U+10FFFD
  return prefix;
}

} // namespace

caf::expected<std::vector<list_entry>> list_accounts(database& db, account_list which,
                                                     std::int64_t subject, const list_page& page) {
  return read_page(db, account_lists[static_cast<std::size_t>(which)], subject, page);
}

caf::expected<std::vector<list_entry>> list_posts(database& db, post_list which, account_id owner,
                                                  const list_page& page) {
  return read_page(db, post_lists[static_cast<std::size_t>(which)], owner.value, page);
}

caf::expected<std::vector<account_id>> search_accounts(database& db, const wanted_accounts& wanted,
                                                       const search_part& part) {
  const auto host = split_host(wanted.domain);
  const auto& name = wanted.name;
  const auto found =
      db.run("SELECT a.id, a.folded, h.name FROM account a LEFT JOIN host h ON h.id = a.host_id"
             " WHERE a.folded >= $1 AND a.folded < $2 AND a.deleted_at IS NULL"
             " AND ($3 = '' OR (h.name = $3 AND ($4 = 0 OR h.port = $4)))"
             " AND ($5 = CAST(0 AS BIGINT) OR EXISTS (SELECT 1 FROM follow f"
             " WHERE f.follower = $5 AND f.followee = a.id AND f.accepted = 1))"
             " ORDER BY a.folded <> $1, a.host_id IS NOT NULL, a.folded, a.id LIMIT $6 OFFSET $7",
             {name, end_of_prefix(name), host.name, host.port, wanted.followed_by, part.limit,
              part.offset});
  if (!found)
    return found.error();
  auto accounts = std::vector<account_id>{};
  for (const auto& row : found->rows)
    if (row[1].text().starts_with(name))
      accounts.push_back(row[0].id<account_id>());
  return accounts;
}

caf::expected<std::vector<std::string>> search_tags(database& db, const std::string& folded,
                                                    const search_part& part) {
  const auto found = db.run("SELECT name, folded FROM tag WHERE folded >= $1 AND folded < $2"
                            " ORDER BY folded LIMIT $3 OFFSET $4",
                            {folded, end_of_prefix(folded), part.limit, part.offset});
  if (!found)
    return found.error();
  auto names = std::vector<std::string>{};
  for (const auto& row : found->rows)
    if (row[1].text().starts_with(folded))
      names.push_back(row[0].text());
  return names;
}

} // namespace trunkline
