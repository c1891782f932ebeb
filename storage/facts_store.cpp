#include "storage/facts_store.hpp"

#include <algorithm>
#include <string>

namespace trunkline {

namespace {

// A boost has no rows in `mention`: it names whom the boosted post names.
constexpr auto select_facts =
    std::string_view{"SELECT p.id, p.author, p.boost_of, p.boost_author, p.reply_to,"
                     " p.reply_author, p.visibility, p.language, b.id, m.account_id FROM "};
constexpr auto join_facts =
    std::string_view{" p LEFT JOIN post b ON b.id = p.boost_of"
                     " LEFT JOIN mention m ON m.post_id = COALESCE(p.boost_of, p.id)"};

std::string sql_of_range(std::string_view bounds, std::string_view order) {
  auto sql = std::string{select_facts};
  sql += "(SELECT id, author, boost_of, boost_author, reply_to, reply_author, visibility, language"
         " FROM post WHERE author = $1 AND ";
  sql.append(bounds).append(" ORDER BY id ").append(order).append(" LIMIT $4)").append(join_facts);
  return sql.append(" ORDER BY p.id ").append(order).append(", m.account_id");
}

std::string sql_of_ids() {
  auto sql = std::string{select_facts}.append("post").append(join_facts).append(" WHERE p.id IN (");
  for (auto number = std::size_t{1}; number <= facts_chunk; ++number)
    sql.append(number == 1 ? "$" : ", $").append(std::to_string(number));
  return sql.append(") ORDER BY p.id, m.account_id");
}

post_facts facts_of(const sql_row& row) {
  return {.id = row[0].id<post_id>(),
          .author = row[1].id<account_id>(),
          .boost_of = row[2].id<post_id>(),
          .boost_author = row[3].id<account_id>(),
          .reply_to = row[4].id<post_id>(),
          .reply_author = row[5].id<account_id>(),
          .seen_by = static_cast<visibility>(row[6].integer()),
          .language = row[7].text()};
}

/// One row per post and mention, in the order of the posts.
facts_stretch stretch_of(const std::vector<sql_row>& rows) {
  auto stretch = facts_stretch{};
  for (const auto& row : rows) {
    const auto id = row[0].id<post_id>();
    const auto is_gone = row[2].integer() != 0 && row[8].is_null();
    if (id != stretch.last) {
      stretch.last = id;
      ++stretch.looked_at;
      if (!is_gone)
        stretch.posts.push_back(facts_of(row));
    }
    if (!is_gone && !row[9].is_null())
      stretch.posts.back().mentions.push_back(row[9].id<account_id>());
  }
  return stretch;
}

} // namespace

caf::expected<std::vector<post_facts>> read_facts(database& db, std::span<const post_id> posts) {
  static const auto sql = sql_of_ids();
  auto values = std::vector<sql_value>(facts_chunk, sql_value{0});
  for (auto index = std::size_t{0}; index < std::min(posts.size(), facts_chunk); ++index)
    values[index] = posts[index];
  auto found = db.run(sql, values);
  if (!found)
    return std::move(found.error());
  return stretch_of(found->rows).posts;
}

caf::expected<facts_stretch> read_facts(database& db, const author_range& range) {
  static const auto newest_first = sql_of_range("id <= $2 AND id > $3", "DESC");
  static const auto oldest_first = sql_of_range("id >= $2 AND id < $3", "ASC");
  auto found =
      db.run(range.oldest_first ? oldest_first : newest_first,
             {range.author, range.from, range.end, static_cast<std::int64_t>(range.limit)});
  if (!found)
    return std::move(found.error());
  return stretch_of(found->rows);
}

} // namespace trunkline
