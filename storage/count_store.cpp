#include "storage/count_store.hpp"

#include "storage/sql_list.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trunkline {

namespace {

constexpr std::string_view account_statement =
    "SELECT a.id,"
    // Each count is all entries of an index less those of a small partial one: no row is read, and
    // a follow waiting to be accepted and a direct post are few.
    " (SELECT COUNT(*) FROM follow f WHERE f.followee = a.id)"
    " - (SELECT COUNT(*) FROM follow f WHERE f.followee = a.id AND f.accepted = 0),"
    " (SELECT COUNT(*) FROM follow f WHERE f.follower = a.id)"
    " - (SELECT COUNT(*) FROM follow f WHERE f.follower = a.id AND f.accepted = 0),"
    " (SELECT COUNT(*) FROM post p WHERE p.author = a.id)"
    " - (SELECT COUNT(*) FROM post p WHERE p.author = a.id AND p.visibility = 4),"
    " (SELECT p.created_at FROM post p WHERE p.author = a.id AND p.visibility <> 4"
    " ORDER BY p.id DESC LIMIT 1) FROM account a WHERE a.id IN (";

constexpr std::string_view post_statement =
    "SELECT p.id, (SELECT COUNT(*) FROM post r WHERE r.reply_to = p.id AND r.visibility <= 2),"
    " (SELECT COUNT(*) FROM post b WHERE b.boost_of = p.id),"
    " (SELECT COUNT(*) FROM favourite f WHERE f.post_id = p.id) FROM post p WHERE p.id IN (";

account_counts read_account(const sql_row& row) {
  return {.followers = row[1].integer(),
          .following = row[2].integer(),
          .posts = row[3].integer(),
          .last_post_at = row[4].optional_time()};
}

post_counts read_post(const sql_row& row) {
  return {.replies = row[1].integer(), .boosts = row[2].integer(), .favourites = row[3].integer()};
}

template <class Id, class Counts>
caf::expected<std::unordered_map<Id, Counts>> load(database& db, std::span<const Id> ids,
                                                   known_counts* known, std::string_view statement,
                                                   Counts (*read)(const sql_row&)) {
  auto counts = std::unordered_map<Id, Counts>{};
  auto leases = std::unordered_map<Id, std::uint64_t>{};
  for (const auto id : ids) {
    if (const auto found = known ? known->find(id) : std::nullopt)
      counts.emplace(id, *found);
    else if (!leases.contains(id))
      leases.emplace(id, known ? known->lease(id) : 0);
  }
  if (leases.empty())
    return counts;
  auto values = std::vector<sql_value>{};
  for (const auto& [id, lease] : leases)
    values.emplace_back(id);
  const auto sql = std::string{statement} + parameters(1, values.size()) + ")";
  const auto counted = db.run(sql, values);
  if (!counted)
    return counted.error();
  for (const auto& row : counted->rows) {
    const auto id = row[0].id<Id>();
    const auto fresh = read(row);
    if (known)
      known->keep(id, fresh, leases[id]);
    counts.emplace(id, fresh);
  }
  return counts;
}

} // namespace

caf::expected<std::unordered_map<account_id, account_counts>>
load_counts(database& db, std::span<const account_id> ids, known_counts* known) {
  return load(db, ids, known, account_statement, read_account);
}

caf::expected<std::unordered_map<post_id, post_counts>>
load_counts(database& db, std::span<const post_id> ids, known_counts* known) {
  return load(db, ids, known, post_statement, read_post);
}

} // namespace trunkline
